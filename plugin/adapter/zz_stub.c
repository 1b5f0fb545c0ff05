#include <stdlib.h>
#include "jitr/rule.h"
#include "jitr/template.h"
struct rule { int x; };
struct template { int x; };
enum err rule_compile(struct view d, struct rule **out, struct diag *diag) { (void)d; (void)diag; *out = calloc(1, sizeof(**out)); return ERR_OK; }
void rule_free(struct rule *r) { free(r); }
bool rule_supersedes(const struct rule *r) { (void)r; return false; }
int64_t rule_supersede_after(const struct rule *r) { (void)r; return 0; }
void rule_eval(const struct rule *r, const struct facts *f, uint8_t room[PLAN_ROOM], struct plan *out) { (void)r; (void)f; (void)room; *out = (struct plan){ .origin = PLAN_RULE, .status = CERT_ACTIVE }; }
enum err template_compile(struct view b, const struct arn_scope *s, struct template **out, struct diag *d) { (void)b; (void)s; (void)d; *out = calloc(1, sizeof(**out)); return ERR_OK; }
void template_free(struct template *t) { free(t); }
void template_eval(const struct template *t, const struct facts *f, uint8_t room[PLAN_ROOM], struct plan *out) { (void)t; (void)f; (void)room; *out = (struct plan){ .origin = PLAN_TEMPLATE, .status = CERT_ACTIVE }; }
