/* kezek-smsc: an SMPP 3.4 message centre on one's own machine, for tests of kezek and by its users. */
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/loop.h"
#include "smsc_centre.h"

static void on_signal(void *arg, int signo)
{
	(void)signo;
	smsc_centre_stop(arg);
}

static int serve(const struct smsc_options *o)
{
	struct loop *l = loop_new(&clock_real);
	struct smsc_centre *c = smsc_centre_new(l, o);

	if (c) {
		loop_signal(l, SIGTERM, on_signal, c);
		loop_signal(l, SIGINT, on_signal, c);
		loop_run(l);
	}
	smsc_centre_free(c);
	loop_free(l);
	return c ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct smsc_options o = {0};
	enum smsc_parsed p = smsc_options_parse(&o, argc, argv);
	int code = p == SMSC_PARSED_DONE ? 0 : p == SMSC_PARSED_USAGE ? 2 : 1;

	signal(SIGPIPE, SIG_IGN); /* whoever reads our output may leave */
	if (p == SMSC_PARSED_RUN)
		code = serve(&o);
	smsc_options_fini(&o);
	return code;
}
