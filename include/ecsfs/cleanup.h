/* SPDX-License-Identifier: Apache-2.0 */
/* Ownership made visible: a variable marked cleanup_free is freed when it leaves its scope,
 * unless steal() took what it holds. Types of the house add their own cleanup_* beside their
 * destructor, made by ECS_CLEANUP. */
#ifndef ECSFS_CLEANUP_H
#define ECSFS_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define ECS_CLEANUP(name, type, destroy) \
    static inline void name##_p(type *p) \
    {                                    \
        destroy(*p);                     \
    }

static inline void ecs_cleanup_free_any(void *p)
{
    free(*(void **)p);
}
static inline void ecs_cleanup_close_p(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define cleanup_free __attribute__((cleanup(ecs_cleanup_free_any)))
#define cleanup_close __attribute__((cleanup(ecs_cleanup_close_p)))

/* Takes the pointer out of a cleanup variable, which is NULL afterwards. */
#define steal(var)                       \
    ({                                   \
        __typeof__(var) stolen_ = (var); \
        (var) = NULL;                    \
        stolen_;                         \
    })

#define ARRAY_LEN(a) (sizeof(a) / sizeof(*(a)))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
