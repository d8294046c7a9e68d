/** Data: words of one's own account and of the rules for signing in. */
const count = (value: number, one: string, many: string) => `${value} ${value === 1 ? one : many}`

// How I get in
export const doorTitle = 'How you get in'
export const doorOne =
  'Your password alone opens your account. A second way makes it yours even if somebody learns it.'
export const doorTwo = 'Two proofs are asked when you sign in. Your account is well guarded.'
export const doorPasskey = 'A passkey is enough to sign in, and your password asks for a second proof.'
export const doorPassword = 'Password'
export const doorPasswordNone = 'None: you come in another way.'
export const doorPasswordSet = 'Set'
export const passwordDialog = 'A new password'
export const passwordDialogText = 'Your other devices are signed out.'
export const currentPassword = 'Current password'
export const currentPasswordMissing = 'Type the password you have now'
export const passwordSetAction = 'Set a password'
export const done = 'Done'

// Authenticator app
export const totp = 'Authenticator app'
export const totpOff = 'Off. An app on your phone shows six digits that you write when you sign in.'
export const totpOn = 'On since'
export const totpSetUp = 'Set up'
export const totpAgain = 'Move to another phone'
export const totpRemove = 'Turn off'
export const totpRemoveTitle = 'Turn off the authenticator app?'
export const totpRemoveText = 'Its codes stop working. Your password, or a passkey, is then what lets you in.'
export const totpRemoved = 'The authenticator app is off.'
export const totpTitle = 'Set up an authenticator app'
export const totpScan = 'Open the app on your phone and scan this picture.'
export const totpScanNoApp =
  'No such app yet? Aegis, 2FAS, Google Authenticator, Microsoft Authenticator and most password managers do it.'
export const totpPicture = 'Picture to scan with the authenticator app'
export const totpOpen = 'Open it in the app on this phone'
export const totpTyped = 'Cannot scan? Type this into the app'
export const totpCopySecret = 'Copy it'
export const totpConfirm = 'Then write the six digits that the app shows.'
export const totpConfirmAction = 'Confirm'
export const totpDone = 'Your authenticator app is set up.'
export const totpWrong = 'That code is not right.'
export const totpWrongNext = 'Wait for the next one; the clock of your phone has to be right.'

// Recovery codes
export const recovery = 'Recovery codes'
export const recoveryNone = 'They come with the first second way that you set up.'
export const recoveryLeft = (left: number, of: number) =>
  `${left} of ${of} left, for the day your phone is gone.`
export const recoveryNew = 'New codes'
export const recoveryNewTitle = 'Make new recovery codes?'
export const recoveryNewText = 'The codes that you have kept stop working at once.'
export const recoveryNewAction = 'Make new codes'
export const recoveryTitle = 'Keep these codes safe'
export const recoveryText =
  'Should your phone be lost, one of them lets you in. Each works once, and they are shown only now.'
export const recoveryCopy = 'Copy all'
export const recoveryDownload = 'Download'
export const recoveryPrint = 'Print'
export const recoveryFile = 'kalnet-recovery-codes.txt'
export const recoverySheet = (email: string, address: string) =>
  `Recovery codes for ${email} at ${address}. Each works once.`
export const recoveryKept = 'I have put them in a safe place'

// Passkeys
export const passkeys = 'Passkeys'
export const passkeysNone =
  'None yet. The fingerprint, face or PIN of a device lets you in, without a password.'
export const passkeyAdd = 'Add a passkey'
export const passkeyNameTitle = 'Name this passkey'
export const passkeyNameHelp = 'So that you know it again, such as “Ada’s phone”.'
export const passkeyName = 'Name'
export const passkeyMake = 'Go on'
export const passkeyMakeText = 'Your device asks for your fingerprint, face or PIN next.'
export const passkeyAdded = (name: string) => `“${name}” lets you in from now on.`
export const passkeyRename = 'Rename'
export const passkeyRenamed = 'The name is saved.'
export const passkeyRemove = 'Remove'
export const passkeyRemoveTitle = (name: string) => `Remove “${name}”?`
export const passkeyRemoveText =
  'It no longer lets you in here. Take it out of your device or password manager too, so that it is not offered.'
export const passkeyRemoved = (name: string) => `“${name}” no longer lets you in.`
export const passkeySynced = 'Kept in step between your devices'
export const passkeyBound = 'On one device only'
export const passkeyUsed = 'last used'
export const passkeyUnused = 'not used yet'
export const passkeyMenu = (name: string) => `Actions for ${name}`
export const passkeysNotHere = (reason: string) => `Not possible here: ${reason}.`
export const passkeysNotBrowser = 'This browser cannot make passkeys.'
export const passkeyThere = 'This device holds a passkey for you already.'
export const passkeyThereNext = 'Use it to sign in, or remove it first to make a new one.'
export const passkeyDeclined = 'No passkey was made.'
export const passkeyDeclinedNext = 'Nothing was changed. Try again when you like.'
export const passkeyDefault = (system: string) => `My ${system}`
export const passkeyDevice = 'device'

// Devices
export const devices = 'Where you are signed in'
export const devicesText = 'Something you do not know? Sign it out, then change your password.'
export const deviceHere = 'This device'
export const deviceSeen = 'last seen'
export const deviceNow = 'in use now'
export const deviceBy = {
  password: 'by password',
  passkey: 'by passkey',
  openid: 'by another account',
  saml: 'by another account',
  link: 'by a link',
}
export const deviceTwo = 'two proofs'
export const deviceEnd = 'Sign out'
export const deviceEndNamed = (device: string) => `Sign out: ${device}`
export const deviceEnded = (device: string) => `${device} is signed out.`
export const devicesOthers = 'Sign out everywhere else'
export const devicesOthersAction = 'Sign them out'
export const devicesOthersTitle = 'Sign out everywhere else?'
export const devicesOthersText = (many: number) =>
  `${count(many, 'other device has', 'other devices have')} to sign in again. Open screens there close at once; what runs in them runs on.`
export const devicesOthersDone = 'You are signed out everywhere else.'
export const devicesAll = 'Sign out everywhere'
export const devicesAllTitle = 'Sign out everywhere, here too?'
export const devicesAllText =
  'Every device has to sign in again, this one too. Open screens close at once; what runs in them runs on.'

// Rules
export const settingsRules = 'Sign-in rules'
export const rulesText = 'What signing in asks of each role, and after how long it asks again.'
export const ruleSecond = 'Ask for a second way'
export const ruleIdle = 'Ask again after a time without use'
export const ruleMost = 'Ask again at the latest after'
export const ruleIdleLonger = 'The time without use cannot be longer than the longest time.'
export const rulePeople = (many: number) =>
  many === 0 ? 'Nobody has this role' : count(many, 'person', 'people')
export const ruleSays = (second: boolean, idle: string, most: string) =>
  `${second ? 'Two proofs' : 'One proof'} to come in. Asked again after ${idle} without use, and after ${most} in any case.`
export const ruleMeansSecond =
  'Whoever has no second way yet is asked to set one up the next time they look here, before anything else.'
export const ruleMeansFirst = 'Nobody has to have a second way; whoever set one up is still asked for it.'
export const ruleMeansShorter = 'Who has been signed in for longer has to sign in again now.'
export const ruleMeansLonger = 'It holds from the next time somebody signs in or looks here.'
export const ruleSaved = (role: string) => `The rule for ${role} is saved.`
export const ruleOwnerOnly = 'Only an owner changes what holds for owners.'
export const ruleRoles = {
  owner: 'Owners',
  admin: 'Admins',
  member: 'Members',
  child: 'Children',
  guest: 'Guests',
}
export const hours = (many: number) => count(many, 'hour', 'hours')
export const days = (many: number) => count(many, 'day', 'days')
export const minutes = (many: number) => count(many, 'minute', 'minutes')
