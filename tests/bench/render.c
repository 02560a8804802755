// SPDX-License-Identifier: GPL-2.0-or-later
/* Events per second and core from a ring to a JSON Lines file: render [FILE [ROUNDS]]. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "policyd/audit/pump.h"
#include "tests/unit/fake_ring.h"

#define RING_SIZE (1u << 20)

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct sink_file_options file = { .path = argc > 1 ? argv[1] :
							     "/dev/shm/policyd-bench.jsonl",
					  .rotate_bytes = 64 << 20 };
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 200, events = 0;
	struct names *names = names_new();
	struct pump_options options = { .names = names, .sinks = sinks_new() };
	unsigned char *image = fake_image(1, "web");
	struct fake_event event;
	struct fake_ring fake;
	struct pd_error error = { 0 };
	struct pump *pump;
	double spent = 0;
	size_t length;

	fake_event_init(&event);
	length = fake_event_build(&event);
	fake_ring_open(&fake, RING_SIZE);
	if (ring_open(fake.fd, RING_SIZE, &options.rings[PD_RING_DENIALS], &error) ||
	    names_add(names, image) || sinks_add_file(options.sinks, &file, &error) || error.code ||
	    pump_new(&options, &pump, &error)) {
		fprintf(stderr, "render: %s\n", error.text);
		return 1;
	}
	for (unsigned long i = 0; i < rounds; i++) {
		double start;

		while (fake_ring_put(&fake, event.bytes, length, 0))
			;
		start = cpu_seconds();
		events += pump_run(pump, SIZE_MAX);
		spent += cpu_seconds() - start;
	}
	printf("%lu events in %.3f s: %.0f events/s per core\n", events, spent,
	       (double)events / spent);
	unlink(file.path);
	pump_free(pump);
	sinks_free(options.sinks);
	names_free(names);
	ring_close(options.rings[PD_RING_DENIALS]);
	fake_ring_close(&fake);
	free(image);
	return 0;
}
