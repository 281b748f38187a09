/* What SQLite does for the statements that a program prepares by common/db: linked into a program with
 * $(plan_spy_ldflags), it writes lines into the file that XS_PLAN_SPY names when the first statement is prepared.
 *
 *     plan TAB a line of EXPLAIN QUERY PLAN TAB the statement      when it is prepared
 *     steps TAB the virtual machine's steps TAB the statement      when it has run
 */
#ifndef TESTS_TAP_PLAN_SPY_H
#define TESTS_TAP_PLAN_SPY_H

#include <stddef.h>

/* In this very program, from now on. Before anything else is under way. */
void plan_spy_begin(const char *path);

/* The most steps of one statement among the lines from byte `from` of the file on; `from` becomes its end. -1: no such
 * line. */
long plan_spy_steps(const char *path, long *from);

/* How many plans of SELECTs in the file walk a table that is not among `bounded` (NULL at the end) from one end to the other, or
 * sort what they found there; each is told on stdout. A walk that ends at the first row is none. */
int plan_spy_bad(const char *path, const char *const *bounded);

#endif
