/* Doubly linked circular list with a head, links embedded in the items. */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "hv/lib/types.h"

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_add_before(struct list *item, struct list *at)
{
    item->next = at;
    item->prev = at->prev;
    at->prev->next = item;
    at->prev = item;
}

static inline void list_add(struct list *item, struct list *head)
{
    list_add_before(item, head->next);
}

/* Leaves the item linked to itself, so that list_empty(item) says it is on no list. */
static inline void list_del(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

#define LIST_ITEM(p, type, member) CONTAINER_OF(p, type, member)
#define LIST_FOR_EACH(p, head) for (struct list *p = (head)->next; p != (head); p = p->next)

#endif
