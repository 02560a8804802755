/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/ctl/question.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "policyd/ctl/ctl.h"
#include "policyd/policy/words.h"

static const char *name_or(const char *name, const char *other)
{
	return name ? name : other;
}

static void socket_text(const struct policy_rule *question, char *buffer, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "?";
	unsigned int family = question->family_count ? question->families[0] : 0;
	unsigned int protocol = question->protocol_count ? question->protocols[0] : 0;
	const char *protocol_name = name_or(word_protocol(family, protocol), "?");

	if (!question->to_count) {
		snprintf(buffer, size, "%s/%s/%s", name_or(word_family(family), "?"),
			 name_or(question->type_count ? word_socktype(question->types[0]) : NULL,
				 "?"),
			 protocol_name);
		return;
	}
	inet_ntop(question->to[0].family ? question->to[0].family : AF_INET, question->to[0].addr,
		  address, sizeof(address));
	snprintf(buffer, size, question->to[0].family == AF_INET6 ? "%s/[%s]:%u" : "%s/%s:%u",
		 protocol_name, address, question->to[0].ports.first);
}

const char *question_text(const struct policy_rule *question, char *buffer, size_t size)
{
	char perms[64], object[512] = "";

	if (question->class == PD_CLASS_CAPABILITY) {
		snprintf(buffer, size, "capability %s",
			 name_or(word_capability((unsigned int)__builtin_ffsll(
							 (long long)question->capabilities) -
						 1),
				 "?"));
		return buffer;
	}
	if (question->class == PD_CLASS_GUARD) {
		snprintf(buffer, size, "guard %s",
			 word_guard((enum pd_guard)(__builtin_ffs((int)question->guards) - 1)));
		return buffer;
	}
	if (question->paths.count)
		snprintf(object, sizeof(object), "%s", question->paths.items[0].text);
	else
		socket_text(question, object, sizeof(object));
	word_permissions(question->paths.count ? PD_OBJ_PATH : PD_OBJ_SOCKET,
			 question->paths.count ? question->path_perms : question->socket_perms,
			 perms, sizeof(perms));
	snprintf(buffer, size, "%s %s%s%s", perms, object, question->by.count ? " by " : "",
		 question->by.count ? question->by.items[0].text : "");
	return buffer;
}

const char *answer_word(const struct answer *answer)
{
	return word_verdict(answer->denied     ? PD_DENIED :
			    answer->would_deny ? PD_WOULD_DENY :
						 PD_ALLOWED);
}

const char *answer_text(const struct policy *policy, const struct policy_rule *question,
			const struct answer *answer, char *buffer, size_t size)
{
	const struct policy *by = answer->policy ? answer->policy : policy;
	char place[ERROR_FILE_MAX + 16];

	if (answer->rule)
		snprintf(buffer, size, "%s by %s", answer_word(answer),
			 ctl_place(by, &answer->rule->place, place, sizeof(place)));
	else if (question->class == PD_CLASS_GUARD)
		snprintf(buffer, size, "%s by default, as no guard: rule grants it",
			 answer_word(answer));
	else
		snprintf(buffer, size, "%s by default (%s at %s)", answer_word(answer),
			 word_class(question->class),
			 ctl_place(by, &by->default_place, place, sizeof(place)));
	return buffer;
}
