/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policyd/policy/automaton.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void dfa_done(struct dfa *dfa)
{
	free(dfa->states);
	free(dfa->edges);
	free(dfa->starts);
	*dfa = (struct dfa){ 0 };
}

uint32_t dfa_next(const struct dfa *dfa, uint32_t state, unsigned char byte)
{
	const struct dfa_state *s = &dfa->states[state];

	if (byte == '/')
		return s->slash;
	for (uint32_t i = 0; i < s->edges; i++)
		if (DFA_EDGE_BYTE(dfa->edges[s->edge + i]) == byte)
			return DFA_EDGE_TARGET(dfa->edges[s->edge + i]);
	return s->other;
}

int dfa_append(struct dfa *to, const struct dfa *from)
{
	uint32_t base = to->count;

	if (to->count + from->count > DFA_STATES_MAX)
		return -E2BIG;
	if (ARRAY_GROW(to->states, to->room, to->count, from->count) ||
	    ARRAY_GROW(to->edges, to->edge_room, to->edge_count, from->edge_count) ||
	    ARRAY_GROW(to->starts, to->start_room, to->start_count, from->start_count))
		return -ENOMEM;
	for (size_t i = 0; i < from->count; i++) {
		struct dfa_state s = from->states[i];

		s.other += base;
		s.slash += base;
		s.edge += to->edge_count;
		to->states[to->count++] = s;
	}
	for (size_t i = 0; i < from->edge_count; i++)
		to->edges[to->edge_count++] = from->edges[i] + base;
	for (size_t i = 0; i < from->start_count; i++)
		to->starts[to->start_count++] = from->starts[i] + base;
	return 0;
}

/* ---- what can be reached --------------------------------------------------------------------- */

#define NO_NODE UINT32_MAX

/* Tarjan's algorithm with a stack of its own: a path of 4096 bytes is as many frames. */
struct tarjan {
	const struct graph *graph;
	uint32_t *index; /* of a node in the order of discovery + 1; 0: not met */
	uint32_t *low;
	uint32_t *stack, *calls, *position;
	uint32_t depth, calls_depth, met, done, components;
	uint32_t *order, *component;
};

static void tarjan_enter(struct tarjan *t, uint32_t node)
{
	t->index[node] = t->low[node] = ++t->met;
	t->position[node] = 0;
	t->stack[t->depth++] = node;
	t->calls[t->calls_depth++] = node;
}

static void tarjan_leave(struct tarjan *t, uint32_t node)
{
	uint32_t member, parent;

	t->calls_depth--;
	if (t->calls_depth) {
		parent = t->calls[t->calls_depth - 1];
		if (t->low[node] < t->low[parent])
			t->low[parent] = t->low[node];
	}
	if (t->low[node] != t->index[node])
		return;
	do {
		member = t->stack[--t->depth];
		t->component[member] = t->components;
		t->order[t->done++] = member;
	} while (member != node);
	t->components++;
}

static void tarjan_run(struct tarjan *t, uint32_t root)
{
	tarjan_enter(t, root);
	while (t->calls_depth) {
		uint32_t node = t->calls[t->calls_depth - 1];
		uint32_t next = t->graph->successor(t->graph->context, node, t->position[node]++);

		if (next == NO_NODE)
			tarjan_leave(t, node);
		else if (!t->index[next])
			tarjan_enter(t, next);
		else if (t->component[next] == NO_NODE && t->index[next] < t->low[node])
			t->low[node] = t->index[next];
	}
}

int graph_components(const struct graph *graph, uint32_t *ret_order, uint32_t *ret_component)
{
	size_t n = graph->count;
	uint32_t *memory = calloc(5 * n + 1, sizeof(*memory));
	struct tarjan t = { .graph = graph, .order = ret_order, .component = ret_component };

	if (!memory)
		return -ENOMEM;
	t.index = memory;
	t.low = memory + n;
	t.stack = memory + 2 * n;
	t.calls = memory + 3 * n;
	t.position = memory + 4 * n;
	memset(ret_component, 0xff, n * sizeof(*ret_component));
	for (size_t i = 0; i < n; i++)
		if (!t.index[i])
			tarjan_run(&t, i);
	free(memory);
	return 0;
}

static uint32_t dfa_successor(const void *context, uint32_t node, uint32_t n)
{
	const struct dfa *dfa = context;
	const struct dfa_state *s = &dfa->states[node];

	if (n == 0)
		return s->other;
	if (n == 1)
		return s->slash;
	return n - 2 < s->edges ? DFA_EDGE_TARGET(dfa->edges[s->edge + n - 2]) : NO_NODE;
}

/* Members of a component reach each other, so they share what they gather. */
static void gather_component(const struct dfa *dfa, struct dfa_reach *reach,
			     const uint32_t *members, size_t count)
{
	struct dfa_reach sum = { 0, ~0ull };
	uint32_t next;

	for (size_t i = 0; i < count; i++) {
		sum.any |= reach[members[i]].any;
		sum.all &= reach[members[i]].all;
		for (uint32_t n = 0; (next = dfa_successor(dfa, members[i], n)) != NO_NODE; n++) {
			sum.any |= reach[next].any;
			sum.all &= reach[next].all;
		}
	}
	for (size_t i = 0; i < count; i++)
		reach[members[i]] = sum;
}

int dfa_gather(const struct dfa *dfa, struct dfa_reach *reach)
{
	struct graph graph = { .count = dfa->count, .successor = dfa_successor, .context = dfa };
	uint32_t *order = malloc((2 * dfa->count + 1) * sizeof(*order));
	uint32_t *component;
	size_t end;
	int r;

	if (!order)
		return -ENOMEM;
	component = order + dfa->count;
	r = graph_components(&graph, order, component);
	for (size_t at = 0; at < dfa->count && !r; at = end) {
		for (end = at + 1; end < dfa->count; end++)
			if (component[order[end]] != component[order[at]])
				break;
		gather_component(dfa, reach, order + at, end - at);
	}
	free(order);
	return r;
}
