/** Words of identity providers: the buttons at the door, linked accounts, their settings. */

// At the door
export const providerSignIn = (name: string) => `Sign in with ${name}`
export const providerLast = 'You used this last time'
export const providerProblems: Record<string, [message: string, next: string]> = {
  'provider.refused': [
    'You were not let in there.',
    'Try again, or ask whoever looks after the accounts there.',
  ],
  'provider.unreachable': [
    'The sign-in page there does not answer.',
    'Try again in a moment, or sign in another way.',
  ],
  'provider.answer': [
    'What came back could not be trusted.',
    'Begin again. If it stays, tell whoever looks after Kalnet.',
  ],
  'provider.flow': ['That took too long, or was begun in another browser.', 'Begin again here.'],
  'provider.stranger': [
    'Nobody here belongs to that account yet.',
    'Sign in as you usually do and link it on your account page, or ask to be invited.',
  ],
  'provider.email-taken': [
    'Somebody here has the same e-mail address.',
    'If that is you, sign in as you usually do, then link the account on your account page.',
  ],
  'provider.no-email': [
    'Your e-mail address was not passed on.',
    'Ask whoever looks after the accounts there.',
  ],
  'provider.off': ['Your account here is switched off.', 'Ask an owner or admin.'],
  'provider.link-taken': [
    'That account is linked with somebody already.',
    'Choose another one, or unlink it there first.',
  ],
  'thing.unknown': ['This way to sign in is switched off.', 'Sign in another way.'],
  'request.too-many': ['Too many tries at once.', 'Wait a minute, then try again.'],
}
export const providerProblem: [string, string] = [
  'Signing in did not work.',
  'Begin again, or sign in another way.',
]

// Linked accounts
export const linkedTitle = 'Linked accounts'
export const linkedText = 'Accounts elsewhere that let you in here.'
export const linkedNone = 'Link an account you have elsewhere, and sign in with it.'
export const linkedAs = (account: string) => `as ${account}`
export const linkedNever = 'not used yet'
export const linkedUsed = 'used'
export const linkWith = (name: string) => `Link ${name}`
export const unlink = 'Unlink'
export const unlinkOne = (name: string) => `Unlink ${name}`
export const unlinkTitle = (name: string) => `Unlink ${name}?`
export const unlinkText =
  'It no longer lets you in, and devices that came in by it are signed out. This one stays.'
export const unlinkLast = 'Your only way in. Set a password or add a passkey first.'
export const unlinked = (name: string) => `${name} is unlinked.`

// Settings
export const settingsProviders = 'Sign-in providers'
export const providersText =
  'Let people sign in with accounts they have elsewhere: at work, at school, at a server of your own.'
export const providersEmpty = 'Everybody signs in with Kalnet itself'
export const providersEmptyText =
  'Add a provider when your household, school or team already has accounts somewhere, such as Keycloak, Google or Microsoft.'
export const providerAdd = 'Add a provider'
export const providerAddTitle = 'Add a sign-in provider'
export const providerKindLabel = 'How does it speak?'
export const providerOpenId = 'OpenID Connect'
export const providerOpenIdText = 'Most of them. You need an address, a client id and a client secret.'
export const providerSaml = 'SAML 2.0'
export const providerSamlText = 'Schools and firms. You need its metadata, a document or its address.'
export const providerName = 'Name on the button'
export const providerNameExample = 'Our school'
export const providerIssuer = 'Issuer address'
export const providerIssuerExample = 'https://login.example.org/realms/home'
export const providerIssuerWrong = 'Write an address that begins with https://.'
export const providerClientId = 'Client id'
export const providerClientIdMissing = 'The provider gave you one.'
export const providerSecret = 'Client secret'
export const providerSecretHelp = 'Kept sealed, and never shown again. Leave it empty for a public client.'
export const providerSecretKeep = 'Empty: the one that is kept stays.'
export const providerMetadataUrl = 'Address of its metadata'
export const providerMetadataXml = 'Or the metadata itself'
export const providerMetadataMissing = 'Write the address, or paste the document.'
export const providerLook = 'Look there'
export const providerMake = 'Add it'
export const providerMade = (name: string) => `${name} is added`
export const providerMadeText = 'Put these into the settings at the provider. Then test it and switch it on.'
export const providerCallback = 'Redirect address'
export const providerBackchannel = 'Back-channel logout address'
export const providerOurMetadata = 'Our metadata, and our entity id'
export const providerAcs = 'Where answers go (ACS)'
export const providerIsOn = 'On'
export const providerIsOff = 'Off'
export const providerPeople = (count: number) =>
  count === 0 ? 'nobody came by it yet' : count === 1 ? 'one account' : `${count} accounts`
export const providerActions = (name: string) => `What to do with ${name}`
export const providerSwitchOn = 'Switch on'
export const providerSwitchOff = 'Switch off'
export const providerSwitchOffTitle = (name: string) => `Switch ${name} off?`
export const providerSwitchOffText =
  'Nobody can sign in by it any more, and who came in by it is signed out now.'
export const providerSwitchedOn = (name: string) => `${name} stands on the sign-in page now.`
export const providerSwitchedOff = (name: string) => `${name} is off.`
export const providerTest = 'Test'
export const providerTestTitle = (name: string) => `Test of ${name}`
export const providerTestGood = 'All is well.'
export const providerTestBad = 'It cannot work like this yet.'
export const providerChange = 'Change'
export const providerValues = 'What to enter there'
export const providerRemove = 'Remove'
export const providerRemoveTitle = (name: string) => `Remove ${name}?`
export const providerRemoveText = (people: number) =>
  `${people === 0 ? 'Nobody is' : people === 1 ? 'One account is' : `${people} accounts are`} linked by it. The people stay; who has no other way in needs a new link from you.`
export const providerRemoved = (name: string) => `${name} is removed.`
export const providerSaved = 'Saved.'
export const providerCreates = 'New people may come in by it'
export const providerCreatesText = 'Off: only those who have linked their account.'
export const providerDefaultRole = 'Role of who comes in'
export const providerRules = 'Groups there'
export const providerRulesText =
  'What a group there means here. The first line that fits decides the role; every line that fits puts into its group.'
export const providerRuleAdd = 'Add a line'
export const providerRuleLine = (number: number) => `Line ${number}`
export const providerRuleGroup = 'Group there'
export const providerRuleRole = 'Role here'
export const providerRuleInto = 'Group here'
export const providerRuleNoRole = 'role stays'
export const providerRuleNoGroup = 'no group'
export const providerRuleRemove = 'Take this line away'
export const providerSecondFactor = 'Counts as two proofs'
export const providerSecondNever = 'Never'
export const providerSecondAlways = 'Always'
export const providerSecondTold = 'When it says so'
export const providerSecondValues = 'What it says then (acr, amr)'
export const providerSecondValuesHelp = 'Separated by commas, such as: mfa, otp, hwk'
export const providerIcon = 'Picture on the button'
export const providerIcons = {
  key: 'Key',
  building: 'Firm',
  home: 'Home',
  school: 'School',
  globe: 'World',
  people: 'People',
  shield: 'Shield',
}
