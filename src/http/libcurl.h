/*
 * libcurl, loaded when it is needed first. With the forty libraries that it needs it takes longer to load than a command like
 * `contentfs refresh`, which sends nothing itself, takes for all the rest. Private to http/, whose files include this and not
 * <curl/curl.h>: the functions have their usual names. What may be the first to need them calls libcurl_load.
 */
#ifndef CONTENTFS_HTTP_LIBCURL_H
#define CONTENTFS_HTTP_LIBCURL_H

#include "util/err.h"

#define CURL_DISABLE_TYPECHECK /* its checks of the types of options are macros of the same names */
#include <curl/curl.h>

#undef curl_easy_getinfo
#undef curl_easy_setopt

#define LIBCURL_FUNCTIONS(X)                                                                                           \
	X(curl_easy_cleanup)                                                                                           \
	X(curl_easy_getinfo)                                                                                           \
	X(curl_easy_header)                                                                                            \
	X(curl_easy_init)                                                                                              \
	X(curl_easy_pause)                                                                                             \
	X(curl_easy_setopt)                                                                                            \
	X(curl_easy_strerror)                                                                                          \
	X(curl_free)                                                                                                   \
	X(curl_getdate)                                                                                                \
	X(curl_global_cleanup)                                                                                         \
	X(curl_global_init_mem)                                                                                        \
	X(curl_multi_add_handle)                                                                                       \
	X(curl_multi_cleanup)                                                                                          \
	X(curl_multi_info_read)                                                                                        \
	X(curl_multi_init)                                                                                             \
	X(curl_multi_perform)                                                                                          \
	X(curl_multi_poll)                                                                                             \
	X(curl_multi_remove_handle)                                                                                    \
	X(curl_multi_wakeup)                                                                                           \
	X(curl_slist_append)                                                                                           \
	X(curl_slist_free_all)                                                                                         \
	X(curl_url)                                                                                                    \
	X(curl_url_cleanup)                                                                                            \
	X(curl_url_get)                                                                                                \
	X(curl_url_set)

struct libcurl {
#define LIBCURL_MEMBER(name) __typeof__(name) *name;
	LIBCURL_FUNCTIONS(LIBCURL_MEMBER)
#undef LIBCURL_MEMBER
};

extern struct libcurl libcurl;

/* Loads it, unless it is loaded. 0, or -ENOSYS with a message. Any thread. */
int libcurl_load(struct err *err);

#ifndef LIBCURL_AS_DECLARED
#define curl_easy_cleanup libcurl.curl_easy_cleanup
#define curl_easy_getinfo libcurl.curl_easy_getinfo
#define curl_easy_header libcurl.curl_easy_header
#define curl_easy_init libcurl.curl_easy_init
#define curl_easy_pause libcurl.curl_easy_pause
#define curl_easy_setopt libcurl.curl_easy_setopt
#define curl_easy_strerror libcurl.curl_easy_strerror
#define curl_free libcurl.curl_free
#define curl_getdate libcurl.curl_getdate
#define curl_global_cleanup libcurl.curl_global_cleanup
#define curl_global_init_mem libcurl.curl_global_init_mem
#define curl_multi_add_handle libcurl.curl_multi_add_handle
#define curl_multi_cleanup libcurl.curl_multi_cleanup
#define curl_multi_info_read libcurl.curl_multi_info_read
#define curl_multi_init libcurl.curl_multi_init
#define curl_multi_perform libcurl.curl_multi_perform
#define curl_multi_poll libcurl.curl_multi_poll
#define curl_multi_remove_handle libcurl.curl_multi_remove_handle
#define curl_multi_wakeup libcurl.curl_multi_wakeup
#define curl_slist_append libcurl.curl_slist_append
#define curl_slist_free_all libcurl.curl_slist_free_all
#define curl_url libcurl.curl_url
#define curl_url_cleanup libcurl.curl_url_cleanup
#define curl_url_get libcurl.curl_url_get
#define curl_url_set libcurl.curl_url_set
#endif

#endif
