/** Words of services: the cards, the page of one, installing, health, releases, logs, removing. */
const count = (value: number, one: string, many: string) =>
  `${new Intl.NumberFormat('en').format(value)} ${value === 1 ? one : many}`

export const servicesText = 'What runs all the time, for everybody here.'
export const servicesSearch = 'Search services'
export const servicesFilter = 'Which services'
export const servicesAll = 'All'
export const servicesUp = 'Running'
export const servicesTrouble = 'Need a look'
export const servicesDown = 'Stopped'
export const servicesInstall = 'Add a service'
export const servicesEmpty = 'Nothing runs here yet'
export const servicesEmptyText =
  'A photo album, a calendar, a website: choose one, give it a name, and everybody at home can open it.'
export const servicesEmptyOthers = 'Nothing here for you yet'
export const servicesEmptyOthersText =
  'As soon as somebody opens a service to you, it shows up here by itself.'
export const servicesNone = 'Nothing fits'
export const servicesNoneText = 'Try fewer words, or look at all of them again.'
export const servicesClear = 'Show all'
export const servicesList = 'Services'
export const paletteServices = 'Services'

export const serviceOpen = 'Open'
export const serviceClosed = 'Ask an owner or admin to open this for you.'
export const serviceOutside = 'Runs elsewhere'
export const servicePlatform = 'Part of Kalnet'
export const serviceNotAsked = 'Not checked'
export const serviceHealthSince = 'since'
export const serviceRestarts = (times: number) =>
  times === 0 ? 'Never restarted by itself' : `Restarted ${times === 1 ? 'once' : `${times} times`} by itself`
export const serviceNextStart = (seconds: number) => `Starts again in ${seconds} s`
export const serviceNextStartNow = 'Starts again now'

// The page of one
export const serviceParts = 'About this service'
export const serviceOverview = 'Overview'
export const serviceAddresses = 'Addresses'
export const serviceReleases = 'Releases'
export const serviceLogs = 'Logs'
export const serviceSettings = 'Settings'
export const serviceGone = 'This service cannot be shown'
export const serviceAddress = 'Address'
export const serviceVersion = 'Version'
export const serviceRelease = 'Release'
export const serviceTemplate = 'Made from'
export const serviceUses = 'Uses'
export const serviceUsesNothing = 'nothing else'
export const serviceSince = 'Here since'
export const serviceTags = 'Tags'
export const serviceNoAddress = 'none'
export const serviceRunning = 'What runs'
export const serviceNothingRuns = 'Nothing of it runs now.'
export const servicePlace = (machine: string, platform: string) => `on ${machine} · ${platform}`
export const serviceNoMachine = 'no machine yet'
export const serviceStarted = 'Started'
export const serviceStart = 'Start'
export const serviceStop = 'Stop'
export const serviceRestart = 'Restart'
export const serviceFinishingText =
  'A newer release has taken over. What is still open at the one before may end by itself for a while.'
export const serviceFinish = 'End it now'
export const serviceFinished = (title: string) => `What was still open at ${title} has been ended.`
export const serviceStarting = (title: string) => `${title} is starting.`
export const serviceStopping = (title: string) => `${title} is stopping. What it keeps stays.`
export const serviceRestarting = (title: string) => `${title} is starting afresh.`
export const serviceStartAgain = 'Start again'
export const serviceUpdateTo = (version: string) => `Version ${version} is ready`
export const serviceUpdateText =
  'The new one starts beside the old one and takes over when it is well. If it never is, the old one stays.'
export const serviceUpdate = 'Update'
export const serviceUpdateBegun = (title: string) => `${title} is being updated.`
export const serviceUnproved = 'Written from its documentation, not yet proved here'
export const serviceUnprovedText =
  'Nobody has yet seen this one installed, used, updated and removed by a test. It may well work; it may also need help.'
export const serviceOutsideText =
  'It runs elsewhere and says itself that it is there. Kalnet cannot start or stop it.'
export const servicePlatformText = 'It belongs to Kalnet itself and comes and goes with it.'

// Health
export const healthTitle = 'Health'
export const healthDay = 'The last 24 hours'
export const healthNone = 'It has no check of its own: that it runs is all that is known.'
export const healthNow = 'now'
export const healthDayAgo = '24 h ago'
export const healthBar = (name: string, share: string) =>
  `${name}: well for ${share} of the time that is known`
export const healthChanges = 'What changed'
export const healthTook = (time: string) => `answered in ${time}`

// Releases
export const releasesNone = 'There is no release yet.'
export const releaseNumber = (number: number) => `Release ${number}`
export const releaseBy = (name: string) => `by ${name}`
export const releaseBack = 'Go back'
export const releaseBackNamed = (number: number) => `Go back to release ${number}`
export const releaseBackTitle = (number: number) => `Go back to release ${number}?`
export const releaseBackText = (version: string) =>
  `Version ${version} starts beside what runs now and takes over when it is well. What the service keeps is not set back.`
export const releaseBackBegun = (number: number) => `Going back to release ${number}.`

// Logs
export const logsWhich = 'Of which'
export const logsEverything = 'All of it'
export const logsSearch = 'Search these lines'
export const logsDownload = 'Download'
export const logsNoLine = 'No line has these words.'
export const logsFound = (found: number, all: number) => `${count(found, 'line', 'lines')} of ${all}`
export const logsAsked = 'Asked for again every few seconds while you look.'

// Settings
export const serviceTitle = 'Title'
export const serviceTitleHelp = 'What people read. Its address stays as it is.'
export const serviceReplicas = 'How many run side by side'
export const serviceReplicasHelp = 'More than one carries on when one of them ends.'
export const serviceReplicasWrong = 'A whole number from 1 to 20.'
export const serviceTagsHelp = 'Words to find it by, with commas between them.'
export const serviceTagsWrong = 'Letters, digits, dots, colons and dashes only.'
export const serviceSaved = 'Saved.'
export const servicePasswords = 'Passwords'
export const servicePasswordsText =
  'Made for it when it was added. Whoever sees one may use it: each look is written down under Activity.'
export const servicePasswordShow = (label: string) => `Show: ${label}`
export const show = 'Show'
export const serviceRemove = 'Remove…'
export const serviceRemoveHead = 'Remove this service'
export const serviceRemoveSay =
  'Its addresses lead nowhere from then on. You choose what becomes of what it keeps.'
export const serviceRemoveTitle = (title: string) => `Remove ${title}?`
export const serviceRemoveData = 'What becomes of what it keeps?'
export const serviceKeepData = 'Keep it'
export const serviceKeepDataMore =
  'It stays on its machine. The service itself, its addresses and its secrets go.'
export const serviceDropData = 'Remove it, too'
export const serviceDropDataMore = 'Everything people put into it is gone for good. There is no way back.'
export const serviceRemoveType = (name: string) => `Type ${name} to confirm`
export const serviceRemoveKeep = 'Remove, keep its data'
export const serviceRemoveAll = 'Remove with all its data'
export const serviceRemoved = (title: string) => `${title} is removed.`
export const serviceForget = 'Take it off the list'
export const serviceForgetText =
  'Its addresses lead nowhere from then on. If it says again that it is there, it comes back.'

// Installing
export const networkLocal = 'Only here'
export const launchServices = 'Services'
export const provedServiceText = 'A test of this release has seen it added, used, updated and removed.'
export const launchServiceBadge = 'Service'
export const installNamed = (name: string) => `Add ${name}`
export const installName = 'Name'
export const installNameHelp = 'Small letters, digits and dashes. Its address begins with it.'
export const installNameWrong = 'Small letters, digits and dashes only, a letter or digit first.'
export const installNameTaken = 'There is a service of this name already.'
export const installAt = 'It will be at'
export const installAtSome = (name: string) => `an address that begins with ${name}`
export const installPort = (kind: string, port: number) => `port ${port} (${kind})`
export const installNoDoor = 'Only other services reach it.'
export const installTitle = 'Title'
export const installUsesNone = 'None'
export const installUsesMissing = 'Choose one, or add such a service first.'
export const installReplicas = 'How many run side by side'
export const install = 'Add it'
export const installBegun = (title: string) => `${title} is being set up.`
