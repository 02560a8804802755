/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What rule numbers mean, for the image in force and a few before it: events in the ring may have been
 * decided by an image that has been replaced since.
 */
#ifndef PD_AUDIT_NAMES_H
#define PD_AUDIT_NAMES_H

#include "policyd/audit/event.h"

#define NAMES_GENERATIONS 4u /* images remembered; the oldest gives way */

struct names;
struct names *names_new(void); /* NULL: no memory */
void names_free(struct names *names);

/**
 * names_add() - remember an image's symbols
 * @image: PD_IMAGE_SIZE readable bytes that passed image_check(); not needed afterwards
 *
 * Call it before the image is put in force. The same generation again replaces what was known.
 * Returns 0 or -ENOMEM, -EPROTO; nothing has changed then.
 */
int names_add(struct names *names, const unsigned char *image);

/** names_resolve() - fill event->symbol and event->policies, which are borrowed until the next names_add().
 * Unknown generation: both stay empty. */
void names_resolve(const struct names *names, struct event *event);

#endif
