package main

import (
	"fmt"
	"io"
	"strings"
)

// covered is something that may go wrong, and the tests that show what comes of it.
type covered struct {
	what  string
	tests []string // folder and name
}

// elsewhere are faults that another widely used gateway really has, and the tests that show that ours has not. A test here checks
// that each of them is there.
var elsewhere = []covered{
	{"The same message id 16 times at once is stored 16 times", []string{
		"services/all/history TestP3_TheSameIDSixteenTimesAtOnceIsOneMessage", "pkg/channel/gateway TestP3_SixteenTimesTheSameWebhookIsOneEvent", "services/inbox TestP3_ConcurrentRepeatsMakeOneMessage"}},
	{"The database is down: 200, and the message is lost, on some channels", []string{
		"services/all/history TestP1_ADatabaseThatIsAwayLosesNothingOnAnyType", "pkg/channel/gateway/ingress TestP1_KafkaAndStoreAwayIs503"}},
	{"The database is frozen: no answer for minutes", []string{
		"pkg/channel/gateway/ingress TestAFrozenStoreHoldsNoAnswer", "services/all/history TestP1_P3_P4_P5_P6_P7_P9_P13_WholeLives"}},
	{"Redis is down: stored, but never handed on", []string{
		"services/all/history TestP3_WithoutRedisEverythingIsHandedOn", "services/webchat/session TestWithoutRedisAReplicaLooksByItself", "pkg/cache TestRedisAwayLimitsLocally"}},
	{"read, then delivered, ends at delivered; sent, delivered and read in one batch end at sent", []string{
		"services/all/history TestP6_P13_StatusesInAnyOrderEndAtTheHighestAndSurviveEveryProcess", "services/deliverystatus TestP6_AnyOrderOfReceiptsEndsAtTheHighestStep"}},
	{"One webhook for two phone numbers is stored on the first", []string{
		"services/all/history TestP4_OneWebhookForTwoNumbersLandsOnEachWithAllItsMessages", "pkg/channel/gateway/ingress TestAppLevelCallsAreProvedChannelByChannel"}},
	{"The second message of a batch is dropped with 200", []string{
		"services/all/history TestP4_OneWebhookForTwoNumbersLandsOnEachWithAllItsMessages", "services/inbox/intake TestP4_OneWebhooksMessagesKeepItsOrder"}},
	{"kill -9 with 16 sends in flight: messages are queued for ever and counts are wrong", []string{
		"services/all/history TestP7_P13_KilledWithSixteenSendsInFlight", "pkg/channel/gateway/send TestP7_DeathAtEveryPoint"}},
	{"A slow log store slows every webhook", []string{
		"pkg/channel/gateway/ingress TestNoWebhookWaitsForALog", "pkg/channel/gateway/provider TestAFullCallLogSlowsNoSend"}},
	{"A body of 200 MB to an unknown channel is read whole before any check", []string{
		"pkg/channel/gateway/ingress TestAHugeBodyToNobodyIsRefusedUnread", "pkg/channel/gateway/ingress TestBodiesAreBounded"}},
	{"Statuses are acknowledged and only in memory", []string{
		"services/all/history TestP6_P13_StatusesInAnyOrderEndAtTheHighestAndSurviveEveryProcess", "services/deliverystatus TestP3_P6_ACrashAtAnyStepLosesAndRepeatsNothing"}},
	{"A refusal reveals what was expected", []string{
		"pkg/channel/gateway/ingress TestForgedAndUnknownLearnNothing", "services/all/history TestP11_WhatNobodyProvedIsRefusedOnEveryTypeAndLearnsNothing"}},
	{"Senders' secrets are not checked on most channels", []string{
		"services/all/history TestP11_WhatNobodyProvedIsRefusedOnEveryTypeAndLearnsNothing", "services/whatsapp Test", "services/telegram Test", "services/webchat Test"}},
	{"Times are read in the wrong unit", []string{"services/all TestTimesAreInTheProvidersUnit"}},
	{"A redial storm, because the pool keeps fewer idle connections than it opens", []string{
		"pkg/egress TestConnectionsAreKept", "pkg/cache TestConnectionsAreKept"}},
	{"A new gzip writer per request is the largest cost of all", []string{"pkg/httpapi TestAnAnswerCostsNoCompressor"}},
}

// crashes are the durable steps, and the tests that kill a process before and after each.
var crashes = []covered{
	{"accept: a webhook is verified and translated, nobody is answered", []string{"pkg/channel/gateway/ingress TestP1_P13_ACrashAtAnyStepOfTakingACallLosesNothingThatWasAnswered"}},
	{"produce: journal and events are on Kafka, or in the spool", []string{
		"pkg/channel/gateway/ingress TestP1_P13_ACrashAtAnyStepOfTakingACallLosesNothingThatWasAnswered", "pkg/embedded TestP13_AcknowledgedRecordsSurviveKill9"}},
	{"consume: a record is handled, its offset committed", []string{
		"pkg/bus/bustest TestP3_WhatWasNotCommittedIsReadAgain", "pkg/bus/bustest TestP3_P4_MembersComeAndGo", "pkg/bus/kafka TestP3_OnlyTheContiguousMarkIsCommitted"}},
	{"update: a document and its facts are committed", []string{
		"pkg/store/sqlite TestP13_KilledAtEveryStep", "pkg/store/sqlite TestP13_KilledWhileCommitting", "pkg/store/mongo TestP13_KilledAtEveryStep"}},
	{"apply: the records that facts imply are inserted, the facts published", []string{
		"services/inbox/record TestP13_NothingAcknowledgedIsLostWithAProcess", "pkg/store/sqlite TestP4_FactsInOrder"}},
	{"clear: what was published is taken out", []string{"services/inbox/record TestP3_EveryAcknowledgedMessageIsInExactlyOnce", "pkg/store/sqlite TestP13_KilledAtEveryStep"}},
	{"intent: the send row is inserted", []string{"pkg/channel/gateway/send TestP7_DeathAtEveryPoint", "pkg/channel/gateway/send TestP7_RandomLives"}},
	{"call: the provider is called", []string{"pkg/channel/gateway/send TestP7_DeathAtEveryPoint", "services/all/history TestP7_P13_KilledWithSixteenSendsInFlight"}},
	{"settle: the result is said, or written with the row's end", []string{"pkg/channel/gateway/send TestP7_DeathAtEveryPoint", "pkg/channel/gateway/send TestP13_AResultThatKafkaDoesNotTakeIsKeptInItsRow"}},
	{"receipt: a step is taken over, linked and told", []string{"services/deliverystatus TestP3_P6_ACrashAtAnyStepLosesAndRepeatsNothing", "services/deliverystatus TestP6_P13_StepsOfAHandlerThatDiedBetweenItsDocumentsAreTakenAlong"}},
	{"hold: an agent's place is taken", []string{"services/routing/decide TestP9_P13_ACrashAtAnyStepOfADecisionLeavesHoldAndDecisionOrNeither"}},
	{"decision: it is told, applied, or refused", []string{
		"services/routing/decide TestP9_P13_ACrashAtAnyStepOfADecisionLeavesHoldAndDecisionOrNeither", "services/inbox/updates TestADecisionThatWasAppliedIsNotRefusedLater"}},
	{"all of them, at any moment", []string{"services/all/history TestP1_P3_P4_P5_P6_P7_P9_P13_WholeLives"}},
}

// faults writes both tables.
func faults(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Faults seen elsewhere\n\nEach was shown on another widely used gateway. The tests beside it show that this one does not have it; a test checks that they are there.\n\n")
	table(&b, "Fault", elsewhere)
	b.WriteString("\n# Crash matrix\n\nThe tests that stop a process before and after each durable step.\n\n")
	table(&b, "Step", crashes)
	_, err := io.WriteString(w, b.String())
	return err
}

func table(b *strings.Builder, title string, rows []covered) {
	fmt.Fprintf(b, "| %s | Tests |\n|---|---|\n", title)
	for _, r := range rows {
		var tests []string
		for _, t := range r.tests {
			dir, name, _ := strings.Cut(t, " ")
			tests = append(tests, fmt.Sprintf("`%s` `%s`", dir, name))
		}
		fmt.Fprintf(b, "| %s | %s |\n", r.what, strings.Join(tests, "<br>"))
	}
}
