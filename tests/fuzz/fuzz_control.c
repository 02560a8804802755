/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes from a client: frames of them, requests of these; and replies as a client would read them. */
#include <stddef.h>
#include <stdint.h>

#include "policyd/control/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_reader reader = { 0 };
	struct pd_error error;
	json_t *object;
	/* The first byte says in how large pieces they come. */
	size_t piece = size ? 1 + (size_t)data[0] * 4 : 1;

	for (size_t at = 1; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		int r;

		if (frame_feed(&reader, data + at, n))
			break;
		while ((r = frame_next(&reader, &object, &error)) != 0) {
			struct control_request request;

			if (r < 0)
				break;
			if (!request_decode(object, &request, &error))
				request_done(&request);
			reply_check(object, &error);
			json_decref(object);
		}
	}
	frame_reader_done(&reader);
	return 0;
}
