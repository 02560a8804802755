/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * States as records of lsm/match.h. Records are written successors first, so that equal ones can
 * be recognised and kept once, also between policies; only those on a cycle of several are not.
 */
#include "policyd/policy/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lsm/match.h"

#define NONE UINT32_MAX
#define SPARSE_MAX 4u

/* One record to be. */
struct record {
	uint32_t kind;
	uint32_t first;		   /* in writer.chain */
	uint32_t length;	   /* states: more than one in a run */
	uint32_t slash;		   /* RUN: where '/' leads for those that do not expect it */
	uint32_t info, slash_info; /* RUN: of those that do not expect '/', and that do */
	uint32_t offset;	   /* 0: not yet written */
};

struct writer {
	struct image *image;
	const struct dfa *dfa;
	const uint32_t *infos;
	struct record *records;
	size_t record_count;
	uint32_t *record_of; /* of a state */
	uint32_t *position;  /* of a state in its run */
	uint32_t *chain;     /* states, record by record */
	size_t chain_count;
	uint32_t *chosen; /* the one state a chain may come from, NONE */
	uint32_t *words;  /* of the record being written */
	uint8_t classes[256];
	unsigned int columns;
	uint32_t classes_at;
};

/* ---- which records --------------------------------------------------------------------------- */

/* Does exactly one byte lead elsewhere than any other? */
static bool expects(const struct writer *w, uint32_t state, unsigned char *ret_byte,
		    uint32_t *ret_next)
{
	const struct dfa_state *s = &w->dfa->states[state];

	if (s->edges > 1)
		return false;
	if (s->edges == 1) {
		*ret_byte = DFA_EDGE_BYTE(w->dfa->edges[s->edge]);
		*ret_next = DFA_EDGE_TARGET(w->dfa->edges[s->edge]);
		return true;
	}
	if (s->slash == s->other)
		return false;
	*ret_byte = '/';
	*ret_next = s->slash;
	return true;
}

/* May @next directly follow @state in one run, as far as the two of them go? */
static bool may_follow(const struct writer *w, uint32_t state, uint32_t next)
{
	unsigned char byte;
	uint32_t after;

	return state != next && w->dfa->states[state].other == w->dfa->states[next].other &&
	       expects(w, next, &byte, &after);
}

/* For each state the predecessor that takes it into its run, when there is one. */
static void choose(struct writer *w)
{
	unsigned char byte;
	uint32_t next;

	memset(w->chosen, 0xff, w->dfa->count * sizeof(*w->chosen));
	for (uint32_t s = 0; s < w->dfa->count; s++)
		if (expects(w, s, &byte, &next) && may_follow(w, s, next) &&
		    w->chosen[next] == NONE)
			w->chosen[next] = s;
}

static struct record *add_record(struct writer *w, uint32_t state, uint32_t kind)
{
	struct record *r = &w->records[w->record_count];

	*r = (struct record){ .kind = kind,
			      .first = w->chain_count,
			      .slash = NONE,
			      .info = NONE,
			      .slash_info = NONE };
	w->record_of[state] = w->record_count++;
	w->chain[w->chain_count++] = state;
	r->length = 1;
	return r;
}

/* Does a state fit into a run with what its states share? Then it shares it from now on. */
static bool run_takes(const struct writer *w, struct record *r, uint32_t state)
{
	uint32_t slash = w->dfa->states[state].slash, *info, next;
	unsigned char byte = 0;

	expects(w, state, &byte, &next);
	info = byte == '/' ? &r->slash_info : &r->info;
	if (r->length == PD_RUN_MAX || (*info != NONE && *info != w->infos[state]) ||
	    (byte != '/' && r->slash != NONE && r->slash != slash))
		return false;
	*info = w->infos[state];
	if (byte != '/')
		r->slash = slash;
	return true;
}

static void run_close(const struct writer *w, struct record *r)
{
	if (r->slash == NONE)
		r->slash = w->dfa->states[w->chain[r->first]].other;
	if (r->info == NONE)
		r->info = r->slash_info;
	if (r->slash_info == NONE)
		r->slash_info = r->info;
	if (r->length == 1)
		r->kind = PD_SPARSE;
}

/* A state and those that follow it in a chain, in as few runs as they fit into. */
static void add_runs(struct writer *w, uint32_t state)
{
	struct record *r = add_record(w, state, PD_RUN);
	unsigned char byte;
	uint32_t next = NONE;

	run_takes(w, r, state);
	for (;;) {
		expects(w, state, &byte, &next);
		if (w->record_of[next] != NONE || w->chosen[next] != state)
			break;
		if (run_takes(w, r, next)) {
			w->record_of[next] = w->record_of[state];
			w->position[next] = r->length++;
			w->chain[w->chain_count++] = next;
		} else {
			run_close(w, r);
			r = add_record(w, next, PD_RUN);
			run_takes(w, r, next);
		}
		state = next;
	}
	run_close(w, r);
}

static void divide(struct writer *w)
{
	const struct dfa *dfa = w->dfa;
	unsigned char byte;
	uint32_t next;

	memset(w->record_of, 0xff, dfa->count * sizeof(*w->record_of));
	choose(w);
	for (uint32_t s = 0; s < dfa->count; s++) {
		const struct dfa_state *state = &dfa->states[s];

		if (expects(w, s, &byte, &next)) {
			if (w->chosen[s] == NONE)
				add_runs(w, s);
		} else if (!state->edges && state->other == s && state->slash == s) {
			add_record(w, s, PD_SINK);
		} else {
			add_record(w, s, state->edges > SPARSE_MAX ? PD_DENSE : PD_SPARSE);
		}
	}
	/* Chains that bite their own tail. */
	for (uint32_t s = 0; s < dfa->count; s++)
		if (w->record_of[s] == NONE)
			add_runs(w, s);
}

/* ---- byte classes ---------------------------------------------------------------------------- */

/* Splits the classes until no dense state tells two bytes of one class apart. */
static void refine_classes(struct writer *w, uint32_t state)
{
	const struct dfa_state *s = &w->dfa->states[state];
	uint32_t target[256], first[256];
	uint8_t old[256] = { 0 };
	unsigned int begin = w->columns;

	for (int b = 0; b < 256; b++)
		target[b] = b == '/' ? s->slash : s->other;
	for (uint32_t i = 0; i < s->edges; i++) {
		uint32_t edge = w->dfa->edges[s->edge + i];

		target[DFA_EDGE_BYTE(edge)] = DFA_EDGE_TARGET(edge);
	}
	memset(first, 0xff, sizeof(first));
	for (int b = 0; b < 256; b++) {
		unsigned int c = w->classes[b], n;

		if (first[c] == NONE)
			first[c] = target[b];
		if (first[c] == target[b])
			continue;
		for (n = begin; n < w->columns; n++)
			if (old[n] == c && first[n] == target[b])
				break;
		if (n == w->columns) {
			first[n] = target[b];
			old[n] = c;
			w->columns++;
		}
		w->classes[b] = n;
	}
}

static int make_classes(struct writer *w)
{
	uint32_t words[64];

	w->columns = 1;
	for (size_t i = 0; i < w->record_count; i++)
		if (w->records[i].kind == PD_DENSE)
			refine_classes(w, w->chain[w->records[i].first]);
	memcpy(words, w->classes, sizeof(words));
	return image_share(w->image, words, 64, &w->classes_at);
}

/* ---- writing --------------------------------------------------------------------------------- */

static uint32_t record_successor(const void *context, uint32_t node, uint32_t n)
{
	const struct writer *w = context;
	const struct record *r = &w->records[node];
	uint32_t last = w->chain[r->first + r->length - 1];
	const struct dfa_state *s = &w->dfa->states[last];
	uint32_t next;
	unsigned char byte;

	if (n == 0)
		return w->record_of[s->other];
	if (r->kind == PD_RUN) {
		if (n > 2)
			return NONE;
		expects(w, last, &byte, &next);
		return w->record_of[n == 1 ? r->slash : next];
	}
	if (n == 1)
		return w->record_of[s->slash];
	return n - 2 < s->edges ? w->record_of[DFA_EDGE_TARGET(w->dfa->edges[s->edge + n - 2])] :
				  NONE;
}

/* The word for a state; within the record being written the offset may still be 0. */
static uint32_t state_word(const struct writer *w, uint32_t state)
{
	const struct record *r = &w->records[w->record_of[state]];

	if (r->kind == PD_RUN)
		return PD_RUN_STATE(r->offset, w->position[state]);
	return r->offset | r->kind;
}

static size_t run_words(const struct writer *w, const struct record *r)
{
	uint8_t *bytes = (uint8_t *)(w->words + PD_WORD_RUN_BYTES);
	size_t count = PD_WORD_RUN_BYTES + (r->length + 3) / 4;
	uint32_t next = 0;

	w->words[count - 1] = 0;
	for (uint32_t i = 0; i < r->length; i++)
		expects(w, w->chain[r->first + i], &bytes[i], &next);
	w->words[PD_WORD_OTHER] = state_word(w, w->dfa->states[w->chain[r->first]].other);
	w->words[PD_WORD_SLASH] = state_word(w, r->slash);
	w->words[PD_WORD_RUN_NEXT] = state_word(w, next);
	w->words[PD_WORD_INFO] = r->info;
	w->words[PD_WORD_RUN_LENGTH] = r->slash_info | r->length << 22;
	return count;
}

static size_t sparse_words(const struct writer *w, const struct dfa_state *s)
{
	const uint32_t *edges = w->dfa->edges + s->edge;
	uint32_t count = s->edges ? s->edges : 1, bytes = 0, edge;

	w->words[PD_WORD_OTHER] = state_word(w, s->other);
	w->words[PD_WORD_SLASH] = state_word(w, s->slash);
	for (uint32_t i = 0; i < SPARSE_MAX; i++) {
		/* Without an exception the first says what `slash` says. */
		edge = s->edges ? edges[i < s->edges ? i : 0] : DFA_EDGE('/', s->slash);
		bytes |= DFA_EDGE_BYTE(edge) << (8 * i);
		if (i < count)
			w->words[PD_WORD_EXCEPTIONS + i] = state_word(w, DFA_EDGE_TARGET(edge));
	}
	w->words[PD_WORD_BYTES] = bytes;
	return PD_WORD_EXCEPTIONS + count;
}

static size_t dense_words(const struct writer *w, const struct dfa_state *s)
{
	for (int b = 0; b < 256; b++)
		w->words[1 + w->classes[b]] = state_word(w, b == '/' ? s->slash : s->other);
	for (uint32_t i = 0; i < s->edges; i++) {
		uint32_t edge = w->dfa->edges[s->edge + i];

		w->words[1 + w->classes[DFA_EDGE_BYTE(edge)]] =
			state_word(w, DFA_EDGE_TARGET(edge));
	}
	return 1 + w->columns;
}

/* Fills w->words; returns how many. */
static size_t record_words(const struct writer *w, const struct record *r)
{
	uint32_t state = w->chain[r->first];

	w->words[PD_WORD_INFO] = w->infos[state];
	switch (r->kind) {
	case PD_RUN:
		return run_words(w, r);
	case PD_SPARSE:
		return sparse_words(w, &w->dfa->states[state]);
	case PD_DENSE:
		return dense_words(w, &w->dfa->states[state]);
	default:
		return 1;
	}
}

/* Records that lead to each other: places first, then contents. */
static int write_cycle(struct writer *w, const uint32_t *members, size_t count)
{
	size_t words;
	int r;

	for (size_t i = 0; i < count; i++) {
		struct record *record = &w->records[members[i]];

		words = record_words(w, record);
		r = image_reserve(w->image, 4 * words, 4, &record->offset);
		if (r)
			return r;
	}
	for (size_t i = 0; i < count; i++) {
		const struct record *record = &w->records[members[i]];

		words = record_words(w, record);
		memcpy(image_at(w->image, record->offset), w->words, 4 * words);
	}
	return 0;
}

static int write_records(struct writer *w)
{
	struct graph graph = { w->record_count, record_successor, w };
	uint32_t *order = malloc((2 * w->record_count + 1) * sizeof(*order));
	uint32_t *component;
	size_t at, end;
	int r;

	if (!order)
		return -ENOMEM;
	component = order + w->record_count;
	r = graph_components(&graph, order, component);
	for (at = 0; at < w->record_count && !r; at = end) {
		struct record *record = &w->records[order[at]];

		for (end = at + 1; end < w->record_count; end++)
			if (component[order[end]] != component[order[at]])
				break;
		if (end - at > 1)
			r = write_cycle(w, order + at, end - at);
		else
			r = image_share_record(w->image, record->kind, w->words,
					       record_words(w, record), &record->offset);
	}
	free(order);
	return r;
}

int image_automata(struct image *image, const struct dfa *dfa, const uint32_t *infos,
		   struct pd_automaton *ret_start)
{
	struct writer w = { .image = image, .dfa = dfa, .infos = infos };
	size_t n = dfa->count;
	uint32_t *memory = malloc((4 * n + PD_RUN_MAX + 64) * sizeof(*memory));
	int r = -ENOMEM;

	w.records = malloc((n + 1) * sizeof(*w.records));
	if (memory && w.records) {
		w.record_of = memory;
		w.position = memory + n;
		w.chain = memory + 2 * n;
		w.chosen = memory + 3 * n;
		w.words = memory + 4 * n;
		memset(w.position, 0, n * sizeof(*w.position));
		divide(&w);
		r = make_classes(&w);
	}
	if (!r)
		r = write_records(&w);
	for (size_t i = 0; i < dfa->start_count && !r; i++)
		ret_start[i] = (struct pd_automaton){ .start = state_word(&w, dfa->starts[i]),
						      .classes = w.classes_at };
	free(w.records);
	free(memory);
	return r;
}
