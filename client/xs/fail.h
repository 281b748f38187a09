/* How xs ends when it cannot do what was asked. */
#ifndef XS_FAIL_H
#define XS_FAIL_H

enum exit_status {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,                   /* the host said no, or the action failed */
    EXIT_USAGE = 2,                     /* the command line or the settings are wrong */
    EXIT_CONNECTION = 3,                /* no connection, or not to the host we trust */
    EXIT_LATER = 4                      /* the host cannot now; the same command may succeed later */
};

/* "xs: ..." on stderr, then exit. */
_Noreturn void fail(enum exit_status status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
