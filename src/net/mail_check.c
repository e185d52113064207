/* What a letter may be made of. Whatever goes into a header or a command as it stands is of a named set of
 * ASCII characters, in which no line ends: that is all that keeps a stranger from writing headers of his own.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "net/mail_body.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

/* 1..most octets, all of the set. */
static bool text_is_of(const char *text, size_t most, const char *set)
{
	size_t n = strlen(text);

	return n >= 1 && n <= most && strspn(text, set) == n;
}

static bool text_has_control(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return true;
	return false;
}

/* No dot at either end and no two in a row. */
static bool text_is_dotted(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '.' && (i == 0 || i + 1 == len || text[i - 1] == '.'))
			return false;
	return len > 0;
}

/* Labels of 1..63, no hyphen at their ends (RFC 1123, 2.1). */
bool mail_host_fits(const char *name)
{
	size_t label = 0;

	if (!text_is_of(name, 253, LETTERS DIGITS ".-") || !text_is_dotted(name, strlen(name)))
		return false;
	for (const char *p = name; *p; p++) {
		label = *p == '.' ? 0 : label + 1;
		if (label > 63 || (*p == '-' && (label == 1 || p[1] == '.' || p[1] == '\0')))
			return false;
	}
	return true;
}

bool mail_address_fits(const char *address)
{
	static const char atom[] = LETTERS DIGITS "!#$%&'*+-/=?^_`{|}~.";
	const char *at = strchr(address, '@');
	size_t local = at ? (size_t)(at - address) : 0;

	return local >= 1 && local <= 64 && strlen(address) <= MAIL_ADDRESS &&
	       strspn(address, atom) == local && text_is_dotted(address, local) && strchr(at, '.') &&
	       mail_host_fits(at + 1);
}

bool mail_name_fits(const char *name)
{
	return strlen(name) <= MAIL_SUBJECT && !text_has_control(name);
}

bool mail_unsubscribe_fits(const char *uri)
{
	if (strlen(uri) > MAIL_UNSUBSCRIBE ||
	    (strncasecmp(uri, "https:", 6) != 0 && strncasecmp(uri, "mailto:", 7) != 0))
		return false;
	for (const char *p = uri; *p; p++)
		if (!isgraph((unsigned char)*p) || *p == '<' || *p == '>')
			return false;
	return true;
}

const char *mail_fault(const struct mail *m)
{
	size_t text = strlen(m->text);

	if (!text_is_of(m->id, MAIL_ID, LETTERS DIGITS "._-") || !text_is_dotted(m->id, strlen(m->id)))
		return "its id is none: 1 to 64 letters, digits, single dots, underscores and hyphens";
	if (!mail_address_fits(m->to))
		return "its address is none: name@example.kz, ASCII, at most 254 characters";
	if (!*m->subject || !mail_name_fits(m->subject))
		return "its subject must be of 1 to 200 octets without control characters";
	if (text < 1 || text > MAIL_TEXT)
		return "its text must be of 1 to 65536 octets";
	if (!text_is_of(m->language, 16, LETTERS "-") || strlen(m->language) < 2)
		return "its language must be a tag as kk, ru or en";
	if (m->unsubscribe && *m->unsubscribe && !mail_unsubscribe_fits(m->unsubscribe))
		return "its unsubscribe link must be an https: or mailto: URI of at most 500 ASCII "
		       "characters";
	return NULL;
}

/* smtp://host:port, where the host is a name or an address, [v6] too, and the port may be left out. */
static bool url_fits(const char *url)
{
	size_t head = strncmp(url, "smtps://", 8) == 0 ? 8 : strncmp(url, "smtp://", 7) == 0 ? 7 : 0;
	size_t n = head ? strspn(url + head, LETTERS DIGITS ".-_:[]") : 0;
	const char *rest = url + head + n;

	return n && (!*rest || strcmp(rest, "/") == 0);
}

static bool url_is_clear(const struct mail_client_options *o)
{
	return strncmp(o->url, "smtp://", 7) == 0 && o->starttls == MAIL_STARTTLS_OFF;
}

const char *mail_client_fault(const struct mail_client_options *o, const char **ret_option)
{
	*ret_option = "url";
	if (!url_fits(o->url))
		return "the server is none: smtp://host:port or smtps://host:port";
	*ret_option = "from";
	if (!mail_address_fits(o->from))
		return "the sender's address is none: name@example.kz";
	*ret_option = "from_name";
	if (!mail_name_fits(o->from_name))
		return "the sender's name must be of at most 200 octets without control characters";
	*ret_option = "user";
	if (!*o->user != !*o->password)
		return "user and password: give both or none";
	if (*o->user && url_is_clear(o))
		return "a password is not said in clear: take smtps, or STARTTLS, or no user";
	return NULL;
}
