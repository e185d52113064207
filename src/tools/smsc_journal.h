/* smsc_journal: a file that says what the centre took and which receipts were acknowledged, so that one that
 * was killed at any moment goes on where it was. Only appended to, a line an event and a write() a line: what
 * was answered is in the file. No text of a message stands in it. Its lines: kezek-smsc(1), JOURNAL. */
#ifndef TOOLS_SMSC_JOURNAL_H
#define TOOLS_SMSC_JOURNAL_H

#include "smsc_phone.h"
#include "smsc_receipt.h"

struct smsc_journal;

/* Makes the file or reads it back; a last line that was cut short is taken away. path must outlive it. NULL
 * when it cannot be read, or another centre has it; why was written to stderr. */
struct smsc_journal *smsc_journal_open(const char *path);
/* Above every id in it; 0 when it is empty. */
uint64_t smsc_journal_next(const struct smsc_journal *j);
/* Each receipt that was not acknowledged when the file was read, the oldest first; forgets them. */
typedef void smsc_journal_owed_fn(void *arg, const char *system_id, const struct smsc_receipt *r);
void smsc_journal_owed(struct smsc_journal *j, smsc_journal_owed_fn *each, void *arg);

/* A submission was taken and will have so many receipts. KZ_LOST: it could not be noted, so it must not be
 * answered as taken. */
enum kz smsc_journal_took(struct smsc_journal *j, const struct pdu_sm *m, const struct smsc_part *part,
    const char *system_id, const struct smsc_receipt *r, unsigned receipts) KZ_CHECK;
/* A receipt was answered, and will not come again. */
enum kz smsc_journal_acknowledged(
    struct smsc_journal *j, uint64_t number, int64_t wall_ms, uint32_t status) KZ_CHECK;
void smsc_journal_free(struct smsc_journal *j);

#endif
