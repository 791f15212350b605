#include "delivery/region.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define REGION_SIZE 16

static const struct {
	const char *name;
	const char *host;
} regions[] = {
	{"na", "https://cdn.contentstack.io"},
	{"us", "https://cdn.contentstack.io"},
	{"aws-na", "https://cdn.contentstack.io"},
	{"eu", "https://eu-cdn.contentstack.com"},
	{"aws-eu", "https://eu-cdn.contentstack.com"},
	{"au", "https://au-cdn.contentstack.com"},
	{"aws-au", "https://au-cdn.contentstack.com"},
	{"azure-na", "https://azure-na-cdn.contentstack.com"},
	{"azure-eu", "https://azure-eu-cdn.contentstack.com"},
	{"gcp-na", "https://gcp-na-cdn.contentstack.com"},
	{"gcp-eu", "https://gcp-eu-cdn.contentstack.com"},
};

/* The vendor writes AWS_NA, aws-na and so on for the same region (R). */
static char plain(char c)
{
	if (c == '_')
		return '-';
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

const char *region_host(const char *region)
{
	char name[REGION_SIZE];
	size_t len = region ? strlen(region) : 0;
	if (len >= sizeof(name))
		return NULL;
	for (size_t i = 0; i < len; i++)
		name[i] = plain(region[i]);
	name[len] = '\0';
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		if (strcmp(name, regions[i].name) == 0)
			return regions[i].host;
	return NULL;
}

static bool is_regional(const char *host)
{
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		if (strcmp(host, regions[i].host) == 0)
			return true;
	return false;
}

/* They are called like the region's own host, with another word for its "cdn". */
void region_asset_hosts(const char *host, struct region_asset_hosts *hosts)
{
	static const char *const words[REGION_ASSET_HOSTS] = {"images", "assets"};
	const char *cdn = is_regional(host) ? strstr(host, "cdn.") : NULL;
	*hosts = (struct region_asset_hosts){0};
	for (size_t i = 0; cdn && i < REGION_ASSET_HOSTS; i++) {
		snprintf(hosts->text[i], sizeof(hosts->text[i]), "%.*s%s%s", (int)(cdn - host), host, words[i],
			 cdn + strlen("cdn"));
		hosts->url[i] = hosts->text[i];
	}
}

const char *region_names(void)
{
	return "na, eu, au, azure-na, azure-eu, gcp-na, gcp-eu";
}
