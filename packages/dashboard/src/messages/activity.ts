/** Data: words of Activity: what was done, by whom, and whether anybody changed it afterwards. */
const count = (value: number, one: string, many: string) =>
  `${new Intl.NumberFormat('en').format(value)} ${value === 1 ? one : many}`

export const activityText = (organisation: string) =>
  `What happened in ${organisation}: who did what, from where, and what was refused.`
export const activityTextMine = 'What you did here, and from where.'
export const activitySearch = 'Search the record'
export const activityFilter = 'Filter'
export const activityFeed = 'What happened, newest first'
export const activityEmpty = 'Nothing has happened yet'
export const activityEmptyText = 'As soon as somebody does something here, it shows up by itself.'
export const activityNone = 'Nothing fits'
export const activityNoneText = 'Try fewer words, or look at all of it again.'
export const activityClear = 'Show everything'
export const activityNewer = 'Show what is new'
export const today = 'Today'
export const yesterday = 'Yesterday'

// Filters
export const activityWhose = 'Whose'
export const activityEverybody = 'Everybody'
export const activityMine = 'Only mine'
export const activityKind = 'What kind'
export const activityAll = 'All'
export const activitySigningIn = 'Signing in'
export const activitySessions = 'Sessions'
export const activityScreens = 'Screens'
export const activityRefused = 'Refused'
export const activityWhen = 'When'
export const activityAnyTime = 'Any time'
export const activityDay = 'A day'
export const activityWeek = 'A week'
export const activityMonth = 'A month'
export const activityOnlyActor = (name: string) => `By ${name}`
export const activityOnlyThing = (name: string) => `About ${name}`
export const activityWithout = (what: string) => `Stop filtering: ${what}`

// Who
export const activitySomebody = 'Somebody'
export const activityMachine = 'This machine’s command line'
export const activityProgram = 'A program'
export const activityFrom = (address: string) => `from ${address}`
export const activityHere = 'on this machine'
export const activityMore = (times: number) => `and ${count(times, 'more try', 'more tries')} like this`
export const activityAfter = (duration: string) => `after ${duration}`
export const activityFailed = (who: string) => `failed to sign in as {${who}}`
export const activityFailedUnknown = 'failed to sign in'
export const activityFirstStep = 'took the first step of signing in'
export const activityTried = (what: string) => `tried to ${what}`
export const activityOther = (what: string) => `did something: ${what}`
export const activityOtherTried = (what: string) => `was refused: ${what}`

/**
 * `verb|past rest {thing}`: "launch|launched {a session}" is read as "launched Terminal", and when refused "tried to launch
 * Terminal". In braces: what stands there when the thing has no name any more.
 */
export const activityWords: Record<string, string> = {
  'session.launched': 'start|started {a session}',
  'session.stopped': 'stop|stopped {a session}',
  'session.restarted': 'start|started {a session} again',
  'session.hibernated': 'put|put {a session} to sleep',
  'session.woken': 'wake|woke {a session} up',
  'session.removed': 'take|took {a session} off the list',
  'session.logs-read': 'read|read what {a session} printed',
  'stream.ticket-issued': 'ask|asked for the screen of {a session}',
  'stream.opened': 'open|opened the screen of {a session}',
  'stream.closed': 'close|closed the screen of {a session}',
  'stream.dialled': 'bring|brought a screen',
  'live.opened': 'follow|followed what happens here',
  'user.signed-in': 'sign|signed in',
  'user.signed-out': 'sign|signed out',
  'user.signed-out-all': 'sign|signed out everywhere',
  'user.signed-out-others': 'sign|signed out on all other devices',
  'user.signed-out-elsewhere': 'sign|signed out on another device',
  'user.changed': 'change|changed their name',
  'user.password-changed': 'change|changed their password',
  'user.reset': 'set|set a new password by a link',
  'user.stepped-up': 'confirm|confirmed who they are',
  'user.step-up-begun': 'begin|began to confirm who they are',
  'reset.asked': 'ask|asked for a new password by mail',
  'factor.begun': 'begin|began to set up another way to prove who they are',
  'factor.added': 'add|added another way to prove who they are',
  'factor.removed': 'remove|removed a way to prove who they are',
  'factor.renamed': 'rename|renamed a way to prove who they are',
  'factor.codes-renewed': 'make|made new recovery codes',
  'policy.changed': 'change|changed what signing in asks for',
  'organisation.claimed': 'make|made this Kalnet theirs',
  'organisation.changed': 'change|changed the household or team',
  'organisation.made': 'make|made an organisation',
  'claim.issued': 'make|made a claim link',
  'owner.reset-issued': 'make|made a link for a new owner’s password',
  'person.made': 'add|added {a person}',
  'person.changed': 'change|changed {a person}',
  'person.role-changed': 'change|changed the role of {a person}',
  'person.switched-off': 'switch|switched {a person} off',
  'person.switched-on': 'switch|switched {a person} on',
  'person.signed-out': 'sign|signed {a person} out everywhere',
  'person.reset-issued': 'make|made a new way in for {a person}',
  'person.removed': 'remove|removed {a person}',
  'person.left': 'leave|left',
  'group.made': 'make|made the group {a group}',
  'group.changed': 'change|changed the group {a group}',
  'group.removed': 'remove|removed the group {a group}',
  'invitation.made': 'invite|invited {somebody}',
  'invitation.sent-again': 'invite|invited {somebody} again',
  'invitation.revoked': 'withdraw|withdrew the invitation of {somebody}',
  'invitation.accepted': 'accept|accepted an invitation',
  'certificate.imported': 'bring|brought the certificate of {an address}',
  'certificate.ordered': 'order|ordered a certificate for {an address}',
  'certificate.renewed': 'renew|renewed the certificate of {an address}',
  'certificate.revoked': 'revoke|revoked the certificate of {an address}',
  'certificate.removed': 'remove|removed the certificate of {an address}',
  'gateway.joined': 'join|joined as a gateway',
  'gateway.certificate-given': 'fetch|fetched a certificate as a gateway',
  'gateway.identity-given': 'fetch|fetched who it is as a gateway',
  'gateway.tunnelled': 'reach|reached a service as a gateway',
  'key.made': 'make|made the service key {a service key}',
  'key.rotated': 'renew|renewed the service key {a service key}',
  'key.revoked': 'revoke|revoked the service key {a service key}',
  'account.made': 'make|made the account of a program {a program}',
  'account.changed': 'change|changed the account of a program {a program}',
  'account.removed': 'remove|removed the account of a program {a program}',
  'account.link-begun': 'begin|began to link another way to sign in',
  'account.unlinked': 'unlink|unlinked another way to sign in',
  'assertion.received': 'come|came back from another provider',
  'provider.added': 'add|added the way to sign in {another provider}',
  'provider.changed': 'change|changed the way to sign in {another provider}',
  'provider.removed': 'remove|removed the way to sign in {another provider}',
  'app.registered': 'add|added the app {an app}',
  'app.changed': 'change|changed the app {an app}',
  'app.removed': 'remove|removed the app {an app}',
  'app.secret-renewed': 'renew|renewed the secret of the app {an app}',
  'app.signed-out': 'sign|signed out from an app',
  'app.signing-keys-rotated': 'make|made new keys that sign for apps',
  'forward-route.added': 'guard|guarded the address {an address}',
  'forward-route.changed': 'change|changed the guarded address {an address}',
  'forward-route.removed': 'stop|stopped guarding the address {an address}',
  'forward-route.entered': 'pass|passed to the guarded address {an address}',
  'app.consent-decided': 'decide|decided what {an app} may see',
  'app.consent-withdrawn': 'withdraw|withdrew what {an app} may see',
  'app-password.made': 'make|made the app password {an app password}',
  'app-password.removed': 'remove|removed the app password {an app password}',
  'service.installed': 'install|installed {a service}',
  'service.changed': 'change|changed {a service}',
  'service.started': 'start|started {a service}',
  'service.stopped': 'stop|stopped {a service}',
  'service.restarted': 'start|started {a service} again',
  'service.finished': 'end|ended what was still open at the last release of {a service}',
  'service.updated': 'update|updated {a service}',
  'service.removed': 'remove|removed {a service}',
  'service.registered': 'register|said where {a service} is',
  'service.deregistered': 'deregister|took a service off the list',
  'service.secret-shown': 'show|had a password of {a service} shown',
  'service.logs-read': 'read|read what {a service} printed',
  'controller.enrolled': 'add|added the machine {a machine}',
  'controller.changed': 'change|changed the machine {a machine}',
  'controller.drained': 'empty|emptied the machine {a machine}',
  'controller.revoked': 'remove|removed the machine {a machine}',
  'controller.key-rotation-asked': 'renew|renewed the key of the machine {a machine}',
  'controller.token-made': 'make|made a token for a new machine',
  'controller.linked': 'connect|connected as a machine',
  'route.added': 'let|let the address {an address} lead to a service',
  'route.changed': 'change|changed who may pass at {an address}',
  'route.removed': 'remove|removed the address {an address}',
  'audit.exported': 'export|exported this record',
  'audit.verified': 'check|checked this record',
  'audit.retention-changed': 'change|changed how long this record is kept',
  'secrets.rotated': 'make|made a new master key',
}
/** Why something was refused, in few words; others show their code. */
export const activityReasons: Record<string, string> = {
  'permission.denied': 'Not allowed',
  'sign-in.wrong': 'Wrong password',
  'sign-in.throttled': 'Too many tries',
  'sign-in.required': 'Not signed in',
  'sign-in.unproved': 'Proof missing',
  'second-factor.wrong': 'Wrong code',
  'step-up.required': 'Asked to confirm',
  'thing.unknown': 'Not there',
  'request.invalid': 'Not understood',
  'request.too-many': 'Too many at once',
  'ticket.invalid': 'Ticket used or old',
  'origin.foreign': 'From another site',
  'session.state': 'Not possible then',
  internal: 'Failed',
}

// One entry
export const entryTitle = 'One entry'
export const entryOutcome = 'Result'
export const entryDone = 'Done'
export const entryWhen = 'When'
export const entryWho = 'Who'
export const entryFrom = 'From'
export const entryAction = 'Action'
export const entryThing = 'About'
export const entryPlace = 'Place in the record'
export const entryPending = 'Being sealed…'
export const entryHash = 'Seal'
export const entryRequest = 'Request'
export const entryRaw = 'As stored'
export const entryByActor = 'Only what they did'
export const entryAboutThing = 'Only about this'

// The record as a whole
export const recordSealed = (entries: string) => `${entries} ${entries === '1' ? 'entry' : 'entries'} sealed`
export const recordWhole = (entries: string) =>
  `Checked: ${entries} ${entries === '1' ? 'entry' : 'entries'}, none was changed`
export const recordPending = (entries: number) => `${count(entries, 'entry is', 'entries are')} being sealed`
export const recordKept = (days: number) => `kept for ${count(days, 'day', 'days')}`
export const recordCheck = 'Check now'
export const recordChecked = (entries: number) =>
  `All ${count(entries, 'entry', 'entries')} are as they were written.`
export const recordBroken = 'This record was changed after it was written'
export const recordBrokenNext =
  'Somebody with access to the database did this; Kalnet itself never can. Export what is here, keep it apart, and run kalnet audit verify on the machine.'
export const recordExport = 'Export'
export const exportCsv = 'Table (CSV)'
export const exportCsvHint = 'for a spreadsheet'
export const exportJson = 'Complete (JSON lines)'
export const exportJsonHint = 'can be checked later'
export const exportCef = 'Security log (CEF)'
export const exportCefHint = 'for a log collector'
export const keepTitle = 'How long to keep it'
export const keepText =
  'Older entries go day by day. What stays can still be checked. Shorter than 30 days is not possible.'
export const keepDays = 'Days'
export const keepWrong = 'A number from 30 to 3650.'
export const keepSaved = (days: number) => `The record is now kept for ${count(days, 'day', 'days')}.`
export const keepChange = 'Change'
