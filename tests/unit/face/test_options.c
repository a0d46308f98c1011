/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, as people, mount(8) and fstab write it. */
#include "command/options.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct options options;
static char why[512];

static int parse(const char *line)
{
    char words[512], *argv[32];
    int argc = 0;
    options_free(&options);
    why[0] = '\0';
    snprintf(words, sizeof(words), "%s", line);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return options_parse(&options, argc, argv, why, sizeof(why));
}

static void accepts(const char *line)
{
    ck_assert_msg(parse(line) == 0, "%s: refused: %s", line, why);
}

static void refuses(const char *line, const char *because)
{
    ck_assert_msg(parse(line) == -EINVAL, "%s: accepted", line);
    ck_assert_msg(strstr(why, because) != NULL, "%s: '%s' has no '%s'", line, why, because);
    ck_assert_msg(strchr(why, '\n') == NULL, "%s: more than one line", line);
}

START_TEST(sources)
{
    accepts("ecsfs /mnt");
    ck_assert_str_eq(options.source, "aws");
    ck_assert_int_eq(options.source_kind, SOURCE_AWS);
    ck_assert_ptr_null(options.region);
    ck_assert_str_eq(options.mountpoint, "/mnt");

    accepts("ecsfs aws:eu-west-1 /mnt");
    ck_assert_str_eq(options.source, "aws:eu-west-1");
    ck_assert_str_eq(options.region, "eu-west-1");

    accepts("ecsfs local /mnt");
    ck_assert_int_eq(options.source_kind, SOURCE_LOCAL);
    ck_assert_ptr_null(options.state_file);

    accepts("ecsfs local:/a/b.db /mnt");
    ck_assert_str_eq(options.state_file, "/a/b.db");

    ck_assert_int_eq(chdir("/usr/lib"), 0); /* the daemon goes to /, so a relative name is settled at once */
    accepts("ecsfs local:state.db /mnt");
    ck_assert_str_eq(options.state_file, "/usr/lib/state.db");
    ck_assert_str_eq(options.source, "local:state.db");

    accepts("ecsfs none /mnt");
    ck_assert_str_eq(options.source, "aws");

    refuses("ecsfs", "no mountpoint");
    refuses("ecsfs local", "no mountpoint after the source");
    refuses("ecsfs gcp /mnt", "unknown source 'gcp'");
    refuses("ecsfs aws: /mnt", "nothing follows the colon");
    refuses("ecsfs local: /mnt", "nothing follows the colon");
    refuses("ecsfs aws:EU /mnt", "no region's name");
    refuses("ecsfs aws:eu-west-1 /mnt -o region=us-east-1", "two regions");
    refuses("ecsfs aws /a /b", "one word too many");
    accepts("ecsfs aws:eu-west-1 /mnt -o region=eu-west-1");
}
END_TEST

START_TEST(defaults)
{
    accepts("ecsfs /mnt");
    ck_assert_int_eq(options.stale_ms, 5000);
    ck_assert_int_eq(options.timeout_ms, 60000);
    ck_assert(options.pacing);
    ck_assert(!options.ro && !options.allow_delete && !options.dry_run && !options.posix_errno);
    ck_assert(!options.foreground && !options.debug);
    ck_assert_ptr_null(options.cache_dir);
    ck_assert_str_eq(options.fuse.data, "fsname=aws,subtype=ecsfs");
    accepts("ecsfs local /mnt");
    ck_assert_msg(!options.pacing, "the emulator is not paced unless asked");
    ck_assert_int_eq(options.stale_ms, 1000);
    accepts("ecsfs local /mnt -o pacing=on,stale=5");
    ck_assert_int_eq(options.stale_ms, 5000);
    ck_assert(options.pacing);
}
END_TEST

START_TEST(every_option)
{
    accepts("ecsfs aws /mnt -o ro,allow_delete,dry_run,posix_errno -o "
            "stale=0.5,timeout=2,pacing=off,cache_dir=/c,profile=dev,regions=eu-west-1:us-east-1,"
            "region=eu-west-1,endpoint_url=http://127.0.0.1:5000 -f");
    ck_assert(options.ro && options.allow_delete && options.dry_run && options.posix_errno &&
              options.foreground);
    ck_assert_int_eq(options.stale_ms, 500);
    ck_assert_int_eq(options.timeout_ms, 2000);
    ck_assert(!options.pacing);
    ck_assert_str_eq(options.cache_dir, "/c");
    ck_assert_str_eq(options.profile, "dev");
    ck_assert_str_eq(options.regions, "eu-west-1:us-east-1");
    ck_assert_str_eq(options.region, "eu-west-1");
    ck_assert_str_eq(options.endpoint_url, "http://127.0.0.1:5000");
    ck_assert_ptr_nonnull(strstr(options.given.data, "stale=0.5,timeout=2"));
    accepts("ecsfs /mnt -o layer_cache=20");
    ck_assert_uint_eq(options.layer_bytes, 20 << 20);
    refuses("ecsfs /mnt -o layer_cache=1g", "layer_cache= wants MiB");
    accepts("ecsfs /mnt -o cache_dir=none");
    ck_assert_str_eq(options.cache_dir, "none");
    accepts("ecsfs /mnt -d");
    ck_assert_msg(options.foreground, "-d stays in the foreground");
    accepts("ecsfs /mnt -o debug");
    ck_assert(options.debug);
}
END_TEST

START_TEST(bad_values)
{
    refuses("ecsfs /mnt -o stale=", "needs a value");
    refuses("ecsfs /mnt -o stale", "needs a value");
    refuses("ecsfs /mnt -o stale=-1", "stale= wants seconds");
    refuses("ecsfs /mnt -o stale=soon", "stale= wants seconds");
    refuses("ecsfs /mnt -o stale=nan", "stale= wants seconds");
    refuses("ecsfs /mnt -o stale=5s", "stale= wants seconds");
    refuses("ecsfs /mnt -o timeout=0", "timeout= wants seconds");
    refuses("ecsfs /mnt -o timeout=1e9", "timeout= wants seconds");
    refuses("ecsfs /mnt -o pacing=maybe", "on or off");
    refuses("ecsfs /mnt -o ro=1", "takes no value");
    refuses("ecsfs /mnt -o region=EU", "no region's name");
    refuses("ecsfs /mnt -o region=../../x", "no region's name");
    refuses("ecsfs /mnt -o regions=eu-west-1::x", "no region's name");
    refuses("ecsfs /mnt -o endpoint_url=localhost:4566", "wants a URL");
    refuses("ecsfs /mnt -o endpoint_url=https://", "wants a URL");
    refuses("ecsfs /mnt -o max_read=lots", "max_read= wants bytes");
    refuses("ecsfs /mnt -o max_read=-4096", "max_read= wants bytes");
    refuses("ecsfs local /mnt -o profile=x", "of no use");
    refuses("ecsfs local /mnt -o endpoint_url=http://x", "of no use");
    refuses("ecsfs /mnt -o allow_deletes", "unknown option 'allow_deletes'");
    refuses("ecsfs /mnt -o =x", "unknown option");
    refuses("ecsfs /mnt -x", "unknown option '-x'");
    refuses("ecsfs /mnt --frobnicate", "unknown option '--frobnicate'");
    refuses("ecsfs /mnt -o", "needs a value");
}
END_TEST

/* What mount(8) and systemd add to a line of fstab. */
START_TEST(fstab)
{
    accepts("ecsfs aws:eu-west-1 /mnt -o rw,noauto,user,nofail,_netdev,dev,suid,x-systemd.automount,defaults,"
            "comment=mine,relatime,nosuid,nodev,noexec");
    ck_assert_str_eq(options.fuse.data, "nosuid,nodev,noexec,fsname=aws:eu-west-1,subtype=ecsfs");
}
END_TEST

START_TEST(fuse_options)
{
    accepts("ecsfs /mnt -o allow_other");
    ck_assert_str_eq(options.fuse.data, "allow_other,default_permissions,fsname=aws,subtype=ecsfs");
    accepts("ecsfs /mnt -o fsname=mine,subtype=x,max_read=65536");
    ck_assert_str_eq(options.fuse.data, "fsname=mine,subtype=x,max_read=65536");
    accepts("ecsfs /mnt -o ro");
    ck_assert_msg(strstr(options.fuse.data, "ro") == NULL, "refresh is written on a read-only mount too");
    accepts("ecsfs local:/a,b /mnt");
    ck_assert_str_eq(options.fuse.data, "fsname=local:/a\\,b,subtype=ecsfs");
    accepts("ecsfs /mnt -o fsname=a\\,b");
    ck_assert_str_eq(options.fuse.data, "fsname=a\\,b,subtype=ecsfs");
}
END_TEST

/* options.json shows what was given. */
START_TEST(no_secret_in_given)
{
    accepts("ecsfs /mnt -o endpoint_url=http://me:secret@host:99/x,ro");
    ck_assert_str_eq(options.given.data, "endpoint_url=http://***@host:99/x,ro");
    ck_assert_str_eq(options.endpoint_url, "http://me:secret@host:99/x");
}
END_TEST

START_TEST(help_fits)
{
    accepts("ecsfs -h");
    ck_assert(options.help);
    accepts("ecsfs --version");
    ck_assert(options.version);
    for (const char *line = options_help; *line != '\0'; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 80, "too wide: %.90s", line);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tests = tcase_create("options");
    tcase_add_test(tests, sources);
    tcase_add_test(tests, defaults);
    tcase_add_test(tests, every_option);
    tcase_add_test(tests, bad_values);
    tcase_add_test(tests, fstab);
    tcase_add_test(tests, fuse_options);
    tcase_add_test(tests, no_secret_in_given);
    tcase_add_test(tests, help_fits);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    options_free(&options);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
