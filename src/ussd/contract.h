/* contract: dialogs/services.yaml as it stands in memory: the types of values with their widest forms, the
 * words of enums in three languages, and what each service takes and gives. Const once loaded. */
#ifndef USSD_CONTRACT_H
#define USSD_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/yaml.h"
#include "text/language.h"
#include "text/template.h"
#include "ussd/service.h"

#define CONTRACT_TYPES  64
#define CONTRACT_VALUES 48 /* names of values in all contracts */
#define CONTRACT_WORDS  16 /* of one enum */
#define CONTRACT_NAME   24 /* octets of a name, with its NUL */

enum value_kind {
	VALUE_TEXT, /* {max: 10, sample: "Айерке"}: shown, at most max units wide; cut to it when given */
	VALUE_WORD,   /* an enum: shown in the session's language */
	VALUE_DIGITS, /* {input: digits, min: 4, max: 4}: typed */
	VALUE_IIN,    /* {input: iin}: typed */
	VALUE_PHONE,  /* {input: phone}: typed; a mobile number of Kazakhstan */
	VALUE_ID,     /* {id: yes}: a number that is handed on and never shown */
};

struct contract_word {
	char name[CONTRACT_NAME];
	char *text[LANGUAGES];
};

struct contract_type {
	char name[CONTRACT_NAME];
	enum value_kind kind;
	unsigned min, max; /* digits, or UTF-16 units */
	bool cyrillic;     /* may be of letters outside GSM 7-bit */
	bool secret;       /* never shown, forgotten when it was used: IINs and what is said to be */
	char *sample;      /* "" when it has none */
	struct contract_word *words;
	size_t words_n;
	int line, column;
};

/* A name of a value has one type everywhere. */
struct contract_value {
	char name[CONTRACT_NAME];
	const struct contract_type *type;
};

struct contracts {
	struct contract_type *types;
	size_t types_n;
	struct contract_value values[CONTRACT_VALUES];
	size_t values_n;
	/* Name of the SMS template that a late answer is told by, "" when it is told by the service's own SMS
	 * or notice; by result as in service_shape. Its parameters are fields of the result and "at", the
	 * moment of the answer. */
	char late[SERVICES][SERVICE_RESULTS][CONTRACT_NAME];
	int late_line[SERVICES][SERVICE_RESULTS], late_column[SERVICES][SERVICE_RESULTS];
};

/* Always returns; what is wrong is in faults, also what differs from the table of service.h: a service,
 * result or field that only one of them has. */
struct contracts *contracts_load(const struct yaml_node *root, struct faults *faults);
void contracts_free(struct contracts *c);
/* Holds the late answers against the texts: each template is there, asks for nothing that its result does not
 * give, and has room for it. file: as the contracts are named in faults. */
void contracts_check_templates(
    const struct contracts *c, const struct templates *t, const char *file, struct faults *faults);
/* -1 when there is none of the name (n octets). */
int contract_value(const struct contracts *c, const char *name, size_t n);
/* How a value of the type is shown: of an enum the word of that name in the language, else text itself. */
const char *contract_show(const struct contract_type *t, const char *text, enum language l);

#endif
