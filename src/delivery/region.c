#include "delivery/region.h"

#include <stddef.h>
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

const char *region_names(void)
{
	return "na, eu, au, azure-na, azure-eu, gcp-na, gcp-eu";
}
