/** Words of service keys: for programs that act for somebody. */
export const settingsKeys = 'Keys'
export const keysText =
  'A key lets a program of yours come in without your password: a backup, a script, a home assistant. Give each program its own.'
export const keysMine = 'My keys'
export const keysEmpty = 'No program has a key'
export const keysEmptyText = 'When a program shall do something here for you, make it a key of its own.'
export const keyMake = 'Make a key'
export const keyName = 'What is it for?'
export const keyNameExample = 'Nightly backup'
export const keyMay = 'What may it do?'
export const keyMayNever =
  'Whatever you choose: never more than you may yourself, and never your password, your keys or your devices.'
export const keyMayRead = 'Only look'
export const keyMayReadMore = 'See people, sessions and machines; change nothing.'
export const keyMayLaunch = 'Launch and use sessions'
export const keyMayLaunchMore = 'Start and stop sessions, and see their screens.'
export const keyMayScim = 'Keep people in step'
export const keyMayScimMore = 'For another directory that adds and switches off people here (SCIM).'
export const keyMayEverything = 'Everything a key may do'
export const keyMayEverythingMore = 'Only for a program you trust like yourself.'
export const keyMaySome = 'Choose one by one'
export const keyMaySomeMore = 'When none of these fits.'
export const keyScopes = 'It may'
export const keyScopesMissing = 'Choose at least one.'
export const keyUntil = 'Until when?'
export const keyDays = (days: number) => `${days} days`
export const keyYear = 'A year'
export const keyForever = 'For ever'
export const keyForeverHelp = 'A key that never ends is easily forgotten. A year is nearly always enough.'
export const keyReady = (name: string) => `The key of ${name}`
export const keyReadyText =
  'Copy it now into the program. It is not shown again; when it is lost, make a new secret.'
export const keySecret = 'Key'
export const keyDone = 'I have copied it'
export const keyEnds = 'Until'
export const keyEndsNever = 'for ever'
export const keyUsed = 'Last used'
export const keyUsedNever = 'not yet'
export const keyUsedFrom = (address: string) => `from ${address}`
export const keyExpired = 'Over'
export const keySoon = 'Ends soon'
export const keyTwo = 'Two secrets'
export const keyTwoUntil = (until: string) => `The secret before works until ${until}.`
export const keyActs = (name: string) => `Actions for the key ${name}`
export const keyRotate = 'New secret…'
export const keyRotateTitle = (name: string) => `A new secret for ${name}?`
export const keyRotateText = 'Everything else about the key stays. It lives as long again as it was made for.'
export const keyRotateOverlap = 'The old secret works'
export const keyOverlapNone = 'no more'
export const keyOverlapHour = 'an hour'
export const keyOverlapDay = 'a day'
export const keyRotateAction = 'Make a new secret'
export const keyRevoke = 'Revoke…'
export const keyRevokeTitle = (name: string) => `Revoke ${name}?`
export const keyRevokeText =
  'The program is out at once, and what it holds open is closed. A revoked key cannot come back.'
export const keyRevokeAction = 'Revoke'
export const keyRevoked = (name: string) => `${name} is revoked.`
export const keyScopeCount = (many: number) => (many === 1 ? 'One thing' : `${many} things`)

export const programs = 'Shared programs'
export const programsText =
  'Accounts of programs that belong to nobody: they stay when a person leaves, and act by their own keys.'
export const programsEmpty = 'No program has an account of its own'
export const programsEmptyText = 'Make one for a directory, a monitor, or whatever serves everybody.'
export const programAdd = 'Add a program'
export const programName = 'What is it called?'
export const programNameExample = 'Directory of the school'
export const programRole = 'What is it here?'
export const programRoleAdmin = 'May change people, machines and rules.'
export const programRoleMember = 'May launch its own sessions and see people.'
export const programRoleGuest = 'May only look at what is its own.'
export const programMake = 'Add it'
export const programOff = 'Off'
export const programActs = (name: string) => `Actions for ${name}`
export const programSwitchOff = 'Switch off'
export const programSwitchOn = 'Switch on'
export const programSwitched = (name: string, on: boolean) =>
  `${name} is ${on ? 'on again' : 'switched off'}.`
export const programRemove = 'Remove…'
export const programRemoveTitle = (name: string) => `Remove ${name}?`
export const programRemoveText = (keys: number) =>
  keys === 0
    ? 'The account is removed for good.'
    : `The account and its ${keys === 1 ? 'key' : `${keys} keys`} are removed for good; the program is out at once.`
export const programRemoveAction = 'Remove'
export const programRemoved = (name: string) => `${name} is removed.`
export const programNoKeys = 'It has no key yet, so it cannot come in.'

/** Each thing a key may be given, in words. */
export const keyScope = {
  'me.read': 'See whose key it is',
  'person.read': 'See people',
  'person.manage': 'Add, change and switch off people',
  'group.read': 'See groups',
  'group.manage': 'Change groups',
  'invitation.manage': 'Invite people',
  'policy.manage': 'Change what signing in asks for',
  'provider.manage': 'Change other ways to sign in',
  'app.manage': 'Change connected apps',
  'app.use': 'Pass to connected apps',
  'audit.read': 'Read the record of what was done',
  'activity.own': 'See what was done in your name',
  'scim.use': 'Keep people in step with another directory',
  'catalog.read': 'See what can be launched',
  'session.read': 'See sessions',
  'session.launch': 'Launch sessions',
  'session.stop': 'Stop and remove sessions',
  'stream.open': 'Look at screens and type into them',
  'service.read': 'See services',
  'service.operate': 'Start, stop and restart services, and read their logs',
  'service.manage': 'Install, change and remove services',
  'service.register': 'Say where a service is',
  'route.read': 'See which address leads where',
  'route.manage': 'Change which address leads where',
  'network.read': 'See names and certificates',
  'network.manage': 'Change names and certificates',
  'gateway.serve': 'Be a gateway',
  'controller.read': 'See machines',
  'controller.manage': 'Add, change and remove machines',
  'event.read': 'Hear what happens as it happens',
}
