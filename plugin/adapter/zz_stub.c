#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include "jitr/rule.h"
#include "jitr/template.h"
struct rule { char policy[64]; bool thing; };
struct template { int x; };
enum err rule_compile(struct view d, struct rule **out, struct diag *diag) { char t[512]; char *p; (void)diag; *out = calloc(1, sizeof(**out)); snprintf(t, sizeof t, "%.*s", (int)d.len, (const char*)d.data); p = strstr(t, "policies\":[\""); if (p) sscanf(p+12, "%63[^\"]", (*out)->policy); (*out)->thing = strstr(t, "\"thing\"") != NULL; return ERR_OK; }
void rule_free(struct rule *r) { free(r); }
bool rule_supersedes(const struct rule *r) { (void)r; return false; }
int64_t rule_supersede_after(const struct rule *r) { (void)r; return 0; }
void rule_eval(const struct rule *r, const struct facts *f, uint8_t room[PLAN_ROOM], struct plan *out) { (void)room; *out = (struct plan){ .origin = PLAN_RULE, .status = CERT_ACTIVE }; diag_set(&out->reason, "stub"); if (r->policy[0]) { out->policies[0].name = view_of(r->policy); out->policy_count = 1; }
 if (r->thing) for (size_t i = 0; i < f->cert->count; i++) if (f->cert->values[i].field == FIELD_SUBJECT_COMMON_NAME) out->thing.name = f->cert->values[i].text; }
enum err template_compile(struct view b, const struct arn_scope *s, struct template **out, struct diag *d) { (void)b; (void)s; (void)d; *out = calloc(1, sizeof(**out)); return ERR_OK; }
void template_free(struct template *t) { free(t); }
void template_eval(const struct template *t, const struct facts *f, uint8_t room[PLAN_ROOM], struct plan *out) { (void)t; (void)f; (void)room; *out = (struct plan){ .origin = PLAN_TEMPLATE, .status = CERT_ACTIVE }; }
