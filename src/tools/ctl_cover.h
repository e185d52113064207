/* ctl_cover: which screens and branches of a dialog were walked. */
#ifndef TOOLS_CTL_COVER_H
#define TOOLS_CTL_COVER_H

#include "ussd/engine.h"
#include "ussd/input.h"

struct cover;

struct cover *cover_new(const struct dialog *d);
void cover_free(struct cover *c);
/* The screen was shown or asked. */
void cover_screen(struct cover *c, int screen);
/* What is told of the screen to who did not dial was shown. */
void cover_told(struct cover *c, int screen);
/* Its service gave that result. */
void cover_result(struct cover *c, int screen, const char *result);
/* typed was this step; what the screen asks for decides which option or error it was. */
void cover_typed(struct cover *c, const struct engine_step *step, const char *typed);
/* A line for each that was not. */
void cover_missing(const struct cover *c, struct faults *faults);

#endif
