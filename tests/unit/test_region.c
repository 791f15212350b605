#include "delivery/region.h"
#include "tap.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *region;
	const char *host;
} rows[] = {
	{"na", "https://cdn.contentstack.io"},
	{"us", "https://cdn.contentstack.io"},
	{"aws-na", "https://cdn.contentstack.io"},
	{"aws_na", "https://cdn.contentstack.io"},
	{"NA", "https://cdn.contentstack.io"},
	{"US", "https://cdn.contentstack.io"},
	{"AWS-NA", "https://cdn.contentstack.io"},
	{"AWS_NA", "https://cdn.contentstack.io"},
	{"eu", "https://eu-cdn.contentstack.com"},
	{"aws_eu", "https://eu-cdn.contentstack.com"},
	{"EU", "https://eu-cdn.contentstack.com"},
	{"au", "https://au-cdn.contentstack.com"},
	{"AWS_AU", "https://au-cdn.contentstack.com"},
	{"azure-na", "https://azure-na-cdn.contentstack.com"},
	{"azure_na", "https://azure-na-cdn.contentstack.com"},
	{"AZURE_EU", "https://azure-eu-cdn.contentstack.com"},
	{"gcp-na", "https://gcp-na-cdn.contentstack.com"},
	{"GCP_EU", "https://gcp-eu-cdn.contentstack.com"},
	{"", NULL},
	{"asia", NULL},
	{"n", NULL},
	{"na ", NULL},
	{"naa", NULL},
	{"azure", NULL},
	{"azure-", NULL},
	{"azure-au", NULL},
	{"cdn.contentstack.io", NULL},
	{"azure-na-and-more-than-fits", NULL},
	{NULL, NULL},
};

/* What a message offers must be understood. */
static void test_names(void)
{
	char names[128];
	snprintf(names, sizeof(names), "%s", region_names());
	size_t count = 0;
	for (char *name = strtok(names, ", "); name; name = strtok(NULL, ", "), count++)
		ok(region_host(name) != NULL, "the region %s that is offered exists", name);
	is_int((long long)count, 7, "seven regions are offered");
}

static void test_asset_hosts(void)
{
	static const struct {
		const char *region, *images, *assets;
	} wanted[] = {
		{"na", "https://images.contentstack.io", "https://assets.contentstack.io"},
		{"eu", "https://eu-images.contentstack.com", "https://eu-assets.contentstack.com"},
		{"au", "https://au-images.contentstack.com", "https://au-assets.contentstack.com"},
		{"azure-na", "https://azure-na-images.contentstack.com", "https://azure-na-assets.contentstack.com"},
		{"azure-eu", "https://azure-eu-images.contentstack.com", "https://azure-eu-assets.contentstack.com"},
		{"gcp-na", "https://gcp-na-images.contentstack.com", "https://gcp-na-assets.contentstack.com"},
		{"gcp-eu", "https://gcp-eu-images.contentstack.com", "https://gcp-eu-assets.contentstack.com"},
	};
	struct region_asset_hosts hosts;
	for (size_t i = 0; i < COUNT(wanted); i++) {
		region_asset_hosts(region_host(wanted[i].region), &hosts);
		is_str(hosts.url[0], wanted[i].images, "where images of %s are", wanted[i].region);
		is_str(hosts.url[1], wanted[i].assets, "where other assets are");
		ok(!hosts.url[2], "and nowhere else");
	}
	region_asset_hosts("https://cdn.example.com", &hosts);
	ok(!hosts.url[0], "another host is no region's");
}

int main(void)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		is_str(region_host(rows[i].region), rows[i].host, "region %s",
		       rows[i].region ? rows[i].region : "(none)");
	test_names();
	test_asset_hosts();
	return tap_done();
}
