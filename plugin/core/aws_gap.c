/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * aws_gap.c - see aws_gap.h.
 *
 * The names are from AWS's service model (botocore 1.43.11), grouped by replacement.
 */
#include <string.h>

#include "jitr/core/aws_gap.h"

static const struct aws_gap gaps[] = {
	{ "AcceptCertificateTransfer CancelCertificateTransfer ListOutgoingCertificates "
	  "RejectCertificateTransfer TransferCertificate",
	    "there is one registry, and no account to transfer to",
	    { "RegisterCertificate", "DeleteCertificate" } },
	{ "CreateCertificateFromCsr CreateCertificateProvider CreateKeysAndCertificate "
	  "CreateProvisioningClaim DeleteCertificateProvider DescribeCertificateProvider "
	  "ListCertificateProviders UpdateCertificateProvider",
	    "this registry issues no certificates; sign them with a CA of your own",
	    { "RegisterCACertificate", "RegisterCertificate" } },
	{ "AddThingToThingGroup CreateDynamicThingGroup CreateThingGroup "
	  "DeleteDynamicThingGroup DeleteThingGroup DescribeThingGroup ListThingGroups "
	  "ListThingGroupsForThing ListThingsInThingGroup RemoveThingFromThingGroup "
	  "UpdateDynamicThingGroup UpdateThingGroup UpdateThingGroupsForThing",
	    "there are no thing groups; policies are attached to certificates",
	    { "AttachPolicy", "UpdateThing" } },
	{ "CreateThingType DeleteThingType DeprecateThingType DescribeThingType "
	  "ListThingTypes UpdateThingType",
	    "a thing type is a name in a thing, and is not created first",
	    { "CreateThing", "UpdateThing" } },
	{ "AddThingToBillingGroup CreateBillingGroup DeleteBillingGroup "
	  "DescribeBillingGroup ListBillingGroups ListThingsInBillingGroup "
	  "RemoveThingFromBillingGroup UpdateBillingGroup",
	    "a billing group is a name in a thing, and is not created first", { "CreateThing" } },
	{ "ListThingPrincipalsV2", "the older command has the same principals",
	    { "ListThingPrincipals" } },
	{ "ListPrincipalThingsV2", "the older command has the same things",
	    { "ListPrincipalThings" } },
	{ "DescribeThingRegistrationTask ListThingRegistrationTaskReports "
	  "ListThingRegistrationTasks RegisterThing StartThingRegistrationTask "
	  "StopThingRegistrationTask",
	    "a template is carried out when a device first connects",
	    { "CreateProvisioningTemplate", "CreateThing" } },
	{ "CreateProvisioningTemplateVersion DeleteProvisioningTemplateVersion "
	  "DescribeProvisioningTemplateVersion ListProvisioningTemplateVersions",
	    "a template has one version; create another template",
	    { "CreateProvisioningTemplate" } },
	{ "ConfirmTopicRuleDestination CreateTopicRule CreateTopicRuleDestination "
	  "DeleteTopicRule DeleteTopicRuleDestination DisableTopicRule EnableTopicRule "
	  "GetTopicRule GetTopicRuleDestination ListTopicRuleDestinations ListTopicRules "
	  "ReplaceTopicRule UpdateTopicRuleDestination",
	    "there is no rules engine; a program that subscribes does its work", { NULL } },
	{ "TestInvokeAuthorizer", "there are no custom authorizers", { "TestAuthorization" } },
	{ "ClearDefaultAuthorizer CreateAuthorizer CreateDomainConfiguration "
	  "CreateRoleAlias DeleteAuthorizer DeleteDomainConfiguration DeleteRoleAlias "
	  "DescribeAuthorizer DescribeDefaultAuthorizer DescribeDomainConfiguration "
	  "DescribeRoleAlias ListAuthorizers ListDomainConfigurations ListRoleAliases "
	  "SetDefaultAuthorizer UpdateAuthorizer UpdateDomainConfiguration "
	  "UpdateRoleAlias",
	    "listeners and other authentication are configured in mosquitto.conf", { NULL } },
	{ "CreateFleetMetric DeleteFleetMetric DescribeFleetMetric DescribeIndex "
	  "GetBucketsAggregation GetCardinality GetIndexingConfiguration GetPercentiles "
	  "GetStatistics ListFleetMetrics ListIndices SearchIndex UpdateFleetMetric "
	  "UpdateIndexingConfiguration",
	    "there is no fleet index", { "ListThings", "ListCertificates" } },
	{ "AttachSecurityProfile CancelAuditMitigationActionsTask CancelAuditTask "
	  "CancelDetectMitigationActionsTask CreateAuditSuppression CreateCustomMetric "
	  "CreateDimension CreateMitigationAction CreateScheduledAudit "
	  "CreateSecurityProfile DeleteAccountAuditConfiguration DeleteAuditSuppression "
	  "DeleteCustomMetric DeleteDimension DeleteMitigationAction DeleteScheduledAudit "
	  "DeleteSecurityProfile DescribeAccountAuditConfiguration DescribeAuditFinding "
	  "DescribeAuditMitigationActionsTask DescribeAuditSuppression DescribeAuditTask "
	  "DescribeCustomMetric DescribeDetectMitigationActionsTask DescribeDimension "
	  "DescribeMitigationAction DescribeScheduledAudit DescribeSecurityProfile "
	  "DetachSecurityProfile GetBehaviorModelTrainingSummaries ListActiveViolations "
	  "ListAuditFindings ListAuditMitigationActionsExecutions "
	  "ListAuditMitigationActionsTasks ListAuditSuppressions ListAuditTasks "
	  "ListCustomMetrics ListDetectMitigationActionsExecutions "
	  "ListDetectMitigationActionsTasks ListDimensions ListMetricValues "
	  "ListMitigationActions ListRelatedResourcesForAuditFinding ListScheduledAudits "
	  "ListSecurityProfiles ListSecurityProfilesForTarget "
	  "ListTargetsForSecurityProfile ListViolationEvents "
	  "PutVerificationStateOnViolation StartAuditMitigationActionsTask "
	  "StartDetectMitigationActionsTask StartOnDemandAuditTask "
	  "UpdateAccountAuditConfiguration UpdateAuditSuppression UpdateCustomMetric "
	  "UpdateDimension UpdateMitigationAction UpdateScheduledAudit "
	  "UpdateSecurityProfile ValidateSecurityProfileBehaviors",
	    "there is no Device Defender", { "Explain" } },
	{ "AssociateSbomWithPackageVersion AssociateTargetsWithJob CancelJob "
	  "CancelJobExecution CreateCommand CreateJob CreateJobTemplate CreateOTAUpdate "
	  "CreatePackage CreatePackageVersion CreateStream DeleteCommand "
	  "DeleteCommandExecution DeleteJob DeleteJobExecution DeleteJobTemplate "
	  "DeleteOTAUpdate DeletePackage DeletePackageVersion DeleteStream DescribeJob "
	  "DescribeJobExecution DescribeJobTemplate DescribeManagedJobTemplate "
	  "DescribeStream DisassociateSbomFromPackageVersion GetCommand "
	  "GetCommandExecution GetJobDocument GetOTAUpdate GetPackage "
	  "GetPackageConfiguration GetPackageVersion ListCommandExecutions ListCommands "
	  "ListJobExecutionsForJob ListJobExecutionsForThing ListJobTemplates ListJobs "
	  "ListManagedJobTemplates ListOTAUpdates ListPackageVersions ListPackages "
	  "ListSbomValidationResults ListStreams UpdateCommand UpdateJob UpdatePackage "
	  "UpdatePackageConfiguration UpdatePackageVersion UpdateStream",
	    "there are no jobs, streams and updates; send devices MQTT messages", { NULL } },
	{ "DeleteV2LoggingLevel GetLoggingOptions GetV2LoggingOptions ListV2LoggingLevels "
	  "SetLoggingOptions SetV2LoggingLevel SetV2LoggingOptions",
	    "logging is configured in mosquitto.conf: log_file, and the broker's own log_type",
	    { NULL } },
	{ "DescribeEventConfigurations UpdateEventConfigurations",
	    "events are configured in mosquitto.conf: lifecycle_events, event_details", { NULL } },
	{ "ListTagsForResource TagResource UntagResource", "tags are not stored", { NULL } },
	{ "DescribeEncryptionConfiguration UpdateEncryptionConfiguration",
	    "the registry is a file on the broker's machine; use an encrypted file system",
	    { NULL } },
	{ "GetThingConnectivityData",
	    "lifecycle_events in mosquitto.conf publishes who is connected", { NULL } },
	{ "DeleteConnection DeleteThingShadow GetRetainedMessage GetThingShadow "
	  "ListNamedShadowsForThing ListRetainedMessages Publish UpdateThingShadow",
	    "it belongs to AWS's data plane; use an MQTT client", { NULL } },
};

bool
aws_same_name(const char *name, struct view operation)
{
	size_t at = 0;

	for (; *name != '\0'; name++) {
		if (*name == '-')
			continue;
		if (at == operation.len ||
		    ascii_lower((uint8_t)*name) != ascii_lower(operation.data[at]))
			return false;
		at++;
	}
	return at == operation.len;
}

const struct aws_gap *
aws_gap_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(gaps); i++) {
		for (const char *word = gaps[i].names; *word != '\0';) {
			size_t len = strcspn(word, " ");

			if (aws_same_name(name, (struct view){ (const uint8_t *)word, len }))
				return &gaps[i];
			word += len;
			word += strspn(word, " ");
		}
	}
	return NULL;
}
