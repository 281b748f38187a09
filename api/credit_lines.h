/* What an operator gives back of an invoice, line by line. */
#ifndef API_CREDIT_LINES_H
#define API_CREDIT_LINES_H

#include "api/fields.h"

/* The field `lines`, [{line, amount}], which may be left out, into accountd's argument of this name. */
void credit_lines_read(struct fields *fields, json_t *args);

#endif
