/** Data: words of people, groups, invitations and the organisation. */
const count = (value: number, one: string, many: string) => `${value} ${value === 1 ? one : many}`

export const settingsPeople = 'People'
export const settingsGroups = 'Groups'
export const peopleText = (organisation: string) => `Who belongs to ${organisation}, and what they may do.`
export const peopleSearch = 'Search people'
export const peopleNobody = 'Nobody matches'
export const peopleNobodyText = (text: string) => `There is nobody called “${text}” here.`
export const peopleAlone = 'It is just you so far'
export const peopleAloneText =
  'Invite somebody: they get a link that works once, make their own password, and are in.'
export const peopleMore = 'Show more'
export const peopleList = 'Everybody'
export const personYou = 'You'
export const personOff = 'Switched off'
export const personProgram = 'Program'
export const personGone = 'This person cannot be shown'
export const personBack = 'All people'

// Roles, in the words of a household and of a team
export const roleParent = 'Parent (owner)'
export const roleLimited = 'Limited member'
export const roleOwnerDoes = 'May do everything, and decides who else is an owner.'
export const roleAdminDoes = 'Invites people and looks after the machines. Cannot change owners.'
export const roleMemberDoes = 'Starts and uses their own sessions, and sees who is here.'
export const roleChildDoes = 'Starts and uses their own sessions. Sees nobody else’s things.'
export const roleGuestDoes = 'Looks at what there is. Cannot start anything.'

// Inviting
export const inviteAction = 'Invite somebody'
export const inviteTitle = 'Invite somebody'
export const inviteEmailHelp = 'The invitation is for this address only.'
export const inviteEmailExample = 'grace@example.org'
export const inviteRole = 'What they may do'
export const inviteGroups = 'Groups'
export const inviteMake = 'Make the invitation'
export const inviteReady = (email: string) => `Ready for ${email}`
export const inviteReadyText =
  'Let them scan this, or send them the link. It works once and makes their own account.'
export const inviteMailed = (email: string) => `It was also sent to ${email}.`
export const inviteLink = 'Invitation link'
export const copyLink = 'Copy the link'
export const linkUntil = (moment: string) => `Good until ${moment}.`
export const linkOnlyHere =
  'It opens on this computer only. So that phones reach it, stop Kalnet and start it with `kalnet up --lan`.'
export const qrLabel = 'The link as a picture, to scan with a phone’s camera'
export const invitationsTitle = 'Invited, not here yet'
export const invitationOpen = 'Waiting'
export const invitationExpired = 'Ran out'
export const invitationAs = (role: string) => `as ${role}`
export const invitationEnds = 'runs out'
export const invitationEnded = 'ran out'
export const invitationAnybody = 'Whoever has the link'
export const invitationMenu = (email: string) => `Actions for the invitation of ${email}`
export const invitationResend = 'New link'
export const invitationRevoke = 'Take it back'
export const invitationRevoked = (email: string) => `The invitation of ${email} is taken back.`

// One person
export const personEmail = 'E-mail'
export const personRole = 'Role'
export const personGroups = 'Groups'
export const personNoGroups = 'None'
export const personDevices = 'Signed in on'
export const personDevicesMany = (many: number) =>
  many === 0 ? 'no device' : count(many, 'device', 'devices')
export const personSeen = 'Last seen'
export const personNever = 'not lately'
export const personSessions = 'Running now'
export const personSessionsMany = (many: number) =>
  many === 0 ? 'nothing' : count(many, 'session', 'sessions')
export const personSince = 'Here since'
export const personAbout = 'About'
export const personAccess = 'Manage'
export const personName = 'Name'
export const personRename = 'Change name'
export const personRenamed = (name: string) => `${name} is saved.`
export const personChangeRole = 'Change role'
export const personChangeRoleText =
  'Every device has to sign in again, because another role has other limits.'
export const personRoleChanged = (name: string, role: string) => `${name} is now: ${role}.`
export const personChangeGroups = 'Change groups'
export const personGroupsSaved = (name: string) => `The groups of ${name} are saved.`
export const personIsSelf =
  'This is you. Your role is changed by another owner or admin; your account is under Me.'
export const personIsOwner = 'Only an owner may change an owner.'
export const switchOff = 'Switch off'
export const switchOffText =
  'Nothing is lost. They are signed out everywhere and cannot come in until you switch them on.'
export const switchOn = 'Switch on'
export const switchedOff = (name: string) => `${name} is switched off and signed out everywhere.`
export const switchedOn = (name: string) => `${name} may come in again.`
export const signOutEverywhere = 'Sign out everywhere'
export const signOutEverywhereText =
  'For a lost phone, or a computer that is not theirs. Open screens close at once.'
export const signOutEverywhereTitle = (name: string) => `Sign ${name} out everywhere?`
export const signedOutEverywhere = (name: string, many: number) =>
  `${name} is signed out${many === 0 ? '' : ` on ${count(many, 'device', 'devices')}`}.`
export const resetLink = 'New password'
export const resetLinkText = 'A link with which they set a new password. Their second factor stays.'
export const resetLinkTitle = (name: string) => `A new password for ${name}`
export const resetLinkReady = 'Hand this over yourself: whoever opens it sets the password. It works once.'
export const resetLinkLabel = 'Link for a new password'
export const resetLinkMake = 'Make the link'
export const resetLinkWarn = (name: string) =>
  `Using it signs ${name} out everywhere. Make it only if ${name} asked for it.`
export const removePerson = 'Remove'
export const removePersonText = 'For good, with everything that is theirs.'
export const removePersonTitle = (name: string) => `Remove ${name}?`
export const removePersonLost = (name: string, sessions: number) =>
  `The account of ${name}${sessions === 0 ? '' : `, ${count(sessions, 'running session', 'running sessions')}`} and everything kept in their sessions is lost. This cannot be undone. To keep everything, switch them off instead.`
export const removePersonType = (name: string) => `Write “${name}” to go on`
export const removedPerson = (name: string) => `${name} is removed.`

// Groups
export const groupsText =
  'People who belong together: the children, the night shift. A person may be in several.'
export const groupsEmpty = 'No group yet'
export const groupsEmptyText =
  'Groups save you work later: give something to a group once, instead of to each person.'
export const groupAdd = 'Make a group'
export const groupName = 'Name of the group'
export const groupNameExample = 'Kids'
export const groupMade = (name: string) => `The group ${name} is there.`
export const groupMembers = (many: number) => (many === 0 ? 'Nobody in it' : count(many, 'person', 'people'))
export const groupMenu = (name: string) => `Actions for the group ${name}`
export const groupPeople = 'Who is in it…'
export const groupPeopleTitle = (name: string) => `Who is in ${name}`
export const groupPeopleSaved = (name: string) => `${name} is saved.`
export const groupRename = 'Rename…'
export const groupRenameTitle = (name: string) => `Rename ${name}`
export const groupRemove = 'Remove'
export const groupRemoveTitle = (name: string) => `Remove ${name}?`
export const groupRemoveText = 'The people stay; only the group goes, and what was given to it.'
export const groupRemoved = (name: string) => `The group ${name} is removed.`

// The organisation itself
export const organisationChange = 'Name and kind'
export const organisationTitle = 'Your household or team'
export const organisationName = 'Name'
export const organisationKind = 'What it is'
export const kindHousehold = 'Household'
export const kindTeam = 'Team'
export const organisationKindHelp = 'It only changes the words: a household has parents, a team has owners.'
export const organisationSaved = (name: string) => `${name} is saved.`

// Joining by an invitation
export const joinTitle = (organisation: string) => `Join ${organisation}`
export const joinText = (by: string, organisation: string, role: string) =>
  `${by} invites you to ${organisation} as ${role}.`
export const joinTextAlone = (organisation: string, role: string) =>
  `You are invited to ${organisation} as ${role}.`
export const joinName = 'Your name'
export const joinNameHelp = 'How the others see you.'
export const joinPassword = 'Choose a password'
export const joinAction = 'Join'
export const joinHere = (name: string) =>
  `This device is signed in as ${name}. Joining signs ${name} out here.`
export const joinNone = 'This invitation does not work'
export const joinNoneText =
  'It was used already, taken back, or has run out. Ask whoever invited you for a new one.'
export const joinNoToken = 'Open the whole link from your invitation: it ends with a long row of letters.'
export const joinSignIn = 'I have an account: sign in'
export const joinUntil = (moment: string) => `The invitation is good until ${moment}.`

// Leaving
export const goHead = 'Leave'
export const goTitle = (organisation: string) => `Leave ${organisation}?`
export const goText = (organisation: string) => `Your account at ${organisation} goes, with everything in it.`
export const goLost =
  'Your account, your sessions and everything kept in them is lost, at once and for good. To come back you need a new invitation.'
export const goType = (organisation: string) => `Write “${organisation}” to go on`
export const goAction = 'Leave'
