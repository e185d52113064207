/* engine_body: steps that engine.c (what a person does) and engine_give.c (what a service says) share. */
#ifndef USSD_ENGINE_BODY_H
#define USSD_ENGINE_BODY_H

#include "ussd/engine.h"
#include "ussd/screen.h"

/* To that screen, from the one called from (-1: none): shows it, or asks its service. */
struct engine_step engine_go(
    const struct dialog *d, struct session *s, int screen, enum engine_event e, int from);
/* The screen where s is, in that form. */
struct engine_step engine_show(const struct dialog *d, struct session *s, enum screen_form form, int error,
    enum engine_event e, int from);
/* The engine's own last page. */
struct engine_step engine_end(
    const struct dialog *d, struct session *s, const struct dialog_text *text, enum engine_event e, int from);
/* An item of the list where s is. */
struct engine_step engine_pick(const struct dialog *d, struct session *s, size_t item, enum engine_event e);

/* engine_way.c */
/* The screen that is left is one that 0 leads back to. */
void engine_remember(struct session *s);
/* The last one of them, with the values as they were there; there is one. */
int engine_return(struct session *s);
/* Every change of a value after engine_remember goes through here. */
void engine_set_value(const struct dialog *d, struct session *s, int v, const char *text);

#endif
