/* Log lines on stderr: "program: subject: what, decision". One line per event.
 * log_warn appends errno's text, log_warnx does not; fatal and fatalx exit 1.
 * Control characters in the text are shown as '?', so that a name chosen by a
 * stranger cannot forge a line. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

void log_init(const char *program);
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fatalx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
