/* Whether the proof of a menu finds what is put into it: faults of twelve kinds, seeded, are written one at a
 * time into the real dialogs/kindergarten.yaml and dialogs/services.yaml, and each must be refused. Prints
 * how many of each kind were found, and every one that was not. kezek-mutate DIALOG SERVICES SEED COUNT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "ussd/audit.h"

#define FOUND_LEAST 99 /* of a hundred */

static bool is_found(const struct bench *b, struct fault *f)
{
	struct dialog_source s = {.len = {b->len[0], b->len[1]}};
	struct faults faults = {0};
	static char names[2][12] = {"dialog", "services"};

	for (int i = 0; i < 2; i++) {
		s.name[i] = names[i];
		s.bytes[i] = b->file[i];
	}
	s.bytes[f->file] = f->text.data;
	s.len[f->file] = f->text.len;
	struct dialog *d = dialog_load(&s, &words_usual, &faults);
	bool found = !d || !audit_check(d, &s, &faults);
	dialog_free(d);
	faults_fini(&faults);
	return found;
}

static size_t kind_run(struct bench *b, size_t kind, size_t count)
{
	struct fault f = {0};
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		fault_make(b, kind, &f);
		if (is_found(b, &f))
			found++;
		else
			printf("  not found: %s: %s\n", fault_name(kind), f.what);
	}
	printf("%-46s %zu of %zu\n", fault_name(kind), found, count);
	buf_fini(&f.text);
	return found;
}

/* At least count of them, as many of each kind. Returns how many of a hundred were found. */
static double run(struct bench *b, size_t count)
{
	size_t each = (count + FAULT_KINDS - 1) / FAULT_KINDS, found = 0;
	double share;

	for (size_t kind = 0; kind < FAULT_KINDS; kind++)
		found += kind_run(b, kind, each);
	share = 100.0 * (double)found / (double)(each * FAULT_KINDS);
	printf("%zu of %zu faults of %d kinds were found: %.2f %%\n", found, each * FAULT_KINDS, FAULT_KINDS,
	    share);
	return share;
}

int main(int argc, char **argv)
{
	struct faults faults = {0};
	struct dialog_source s = {0};
	struct bench b = {0};
	double share = 0;

	if (argc != 5) {
		fprintf(stderr, "usage: kezek-mutate DIALOG SERVICES SEED COUNT\n");
		return 2;
	}
	b.random = strtoull(argv[3], NULL, 10) * 2 + 1;
	if (dialog_source_read(argv[1], argv[2], &s, &faults))
		b.dialog = dialog_load(&s, &words_usual, &faults);
	for (int i = 0; i < 2; i++) {
		b.file[i] = s.bytes[i];
		b.len[i] = s.len[i];
	}
	if (b.dialog && audit_check(b.dialog, &s, &faults))
		share = run(&b, (size_t)strtoull(argv[4], NULL, 10));
	fputs(buf_text(&faults.text), stderr);
	dialog_free(b.dialog);
	dialog_source_fini(&s);
	faults_fini(&faults);
	return share >= FOUND_LEAST ? 0 : 1;
}
