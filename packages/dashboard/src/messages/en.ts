/** Data: every word on screen, in English: one export per message, so that only what a screen uses is loaded with it. */
const count = (value: number, one: string, many: string) => `${value} ${value === 1 ? one : many}`

// Everywhere
export const product = 'Kalnet'
export const working = 'Working'
export const copy = 'Copy'
export const copied = 'Copied'
export const copyDetails = 'Copy details'
export const tryAgain = 'Try again'
export const close = 'Close'
export const cancel = 'Cancel'
export const save = 'Save'
export const showMore = 'Show older'
export const loading = 'Loading'
export const justNow = 'just now'
export const notices = 'Notices'
export const requestLabel = 'request'
export const logsEmpty = 'Nothing was printed.'
export const skipToContent = 'Skip to the content'

// Problems that do not come from the server's own table
export const problemUnreachable = 'Kalnet does not answer.'
export const problemUnreachableNext =
  'Check that the machine is on and that you are on its network. This page tries again by itself.'
export const problemStrange = (status: number) => `An unexpected answer came back (${status}).`
export const problemStrangeNext =
  'Something between you and Kalnet answered in its place. Try again in a moment.'
export const problemPage = 'This page could not be shown.'
export const problemPageNext = 'Try again; if it stays, reload the page.'
export const problemNotProved = 'Nothing was changed.'
export const problemNotProvedNext = 'Confirm that it is you to go on.'
export const notFoundTitle = 'There is nothing here'
export const notFoundText = 'The address may be old, or what was here has been removed.'
export const goHome = 'Go to Home'

// Places
export const home = 'Home'
export const launch = 'Launch'
export const services = 'Services'
export const activity = 'Activity'
export const settings = 'Settings'
export const places = 'Places'
export const goOrStart = 'Go or start'
export const paletteChord = 'Ctrl K'

// Connection
export const offline = (age: string) => `Not connected. This is how things were ${age}.`
export const offlineNow = 'Not connected. Trying again…'

// Claim and sign in
export const claimTitle = 'Make it yours'
export const claimText =
  'You are the first one here. This account becomes the owner of everything on this Kalnet.'
export const claimName = 'Your name'
export const claimHouse = 'Name of your household or team'
export const claimHouseHelp = 'Shown to everybody you invite. You can change it later.'
export const claimHouseExample = 'The Larch House'
export const email = 'E-mail'
export const password = 'Password'
export const newPassword = 'New password'
export const passwordHelp = 'At least 10 characters. Length counts more than odd signs.'
export const passwordShort = 'Use at least 10 characters.'
export const nameMissing = 'Write a name.'
export const emailWrong = 'Write an e-mail address, like ada@example.org.'
export const passwordMissing = 'Write your password.'
export const claimAction = 'Create owner account'
export const claimNoToken = 'This page needs a claim link'
export const claimNoTokenText =
  'Run “kalnet up” on the machine: it prints the link, which works once. If somebody is locked out, “kalnet user reset-owner” prints a new one.'
export const resetTitle = 'Set the owner account again'
export const resetText =
  'This link replaces the owner’s name, e-mail and password. Everything else stays as it is.'
export const resetAction = 'Set owner account'
export const signIn = 'Sign in'
export const signInTitle = 'Welcome back'
export const signInText = 'Sign in to see what is running.'
export const signInUnclaimed = 'Nobody owns this Kalnet yet'
export const signInUnclaimedText =
  'Open the claim link that “kalnet up” printed on the machine. It makes the first account.'
export const signOut = 'Sign out'

// Home
export const greeting = (hour: number, name: string) => {
  const word =
    hour < 5 ? 'Good night' : hour < 12 ? 'Good morning' : hour < 18 ? 'Good afternoon' : 'Good evening'
  return `${word}, ${name}`
}
export const homeRunning = (live: number) =>
  live === 0 ? 'Nothing is running right now.' : `${count(live, 'session', 'sessions')} running.`
export const running = 'Running'
export const runningOthers = 'Running for others'
export const recentlyEnded = 'Recently ended'
export const homeEmptyTitle = 'Your screen is a click away'
export const homeEmptyText =
  'Start a browser, a terminal or a whole desktop. It runs on your own machine and opens right here.'
export const homeEmptyAction = 'See what you can start'
export const startSomething = 'Start something'
export const startAgain = 'Start again'
export const startNew = 'New session'
export const removeFromList = 'Remove from the list'
export const removed = (name: string) => `${name} is off the list.`
export const undo = 'Undo'
export const details = 'Details'
export const belongsTo = (name: string) => `${name}’s`

// Session states
export const statePending = 'Waiting'
export const stateStarting = 'Starting'
export const stateRunning = 'Running'
export const stateStopping = 'Stopping'
export const stateStopped = 'Stopped'
export const stateFailed = 'Failed'
export const stateUnreachable = 'Not connected'
export const reasonNone = 'Stopped'
export const unreachableText = (controller: string) =>
  `${controller} is not connected. The session may well be running on; it comes back with it.`

// Stages of a start
export const stageAccepted = 'Asked'
export const stagePlaced = 'Placed'
export const stageCreated = 'Created'
export const stageDisplay = 'Screen'
export const stageFirstByte = 'Connected'
export const stageFirstFrame = 'First picture'
export const stages = 'Stages of the start'
export const stagesTotal = (time: string) => `${time} from the click to the first picture`

// Launch
export const launchTitle = 'Launch'
export const launchText = 'One click starts it. It opens right here, in this window.'
export const launchSearch = 'Search the catalog'
export const launchNothing = 'Nothing matches'
export const launchNothingText = (text: string) => `There is nothing for “${text}” in the catalog.`
export const launchClear = 'Show everything'
export const launchEmpty = 'The catalog is empty'
export const launchEmptyText =
  'No template could be read. Look at the templates folder of this Kalnet, or start it again.'
export const categoryAll = 'All'
export const categories = 'Categories'
export const categoryWebsites = 'Websites'
export const categoryFiles = 'Files and calendars'
export const categoryChat = 'Chat'
export const categoryAutomation = 'Automation'
export const categoryGames = 'Games'
export const categoryHome = 'Home'
export const categoryNetwork = 'Network'
export const categoryDatabases = 'Databases'
export const categoryBrowsers = 'Browsers'
export const categoryDesktops = 'Desktops'
export const categoryOffice = 'Office'
export const categoryDevelopment = 'Development'
export const categoryDesign = 'Design'
export const categoryMedia = 'Media'
export const categoryTools = 'Tools'
export const proved = 'Proved'
export const provedText = 'A test of this release has seen it start and draw.'
export const notProved = 'Not yet proved'
export const deprecated = 'Going away'
export const start = 'Start'
export const startNamed = (name: string) => `Start ${name}`
export const detailsOf = (name: string) => `Details of ${name}`
export const sessionName = 'Name'
export const sessionNameHelp = 'How you will find it on Home.'
export const platform = 'Where it runs'
export const platformAuto = 'Best place'
export const platformProcess = 'Sandbox'
export const platformDocker = 'Docker'
export const platformKubernetes = 'Kubernetes'
export const platformFake = 'Pretend'
export const platformAutoHelp = 'On a machine that has room for it.'
export const platformProcessHelp = 'In a sandbox on one of your machines. It starts the quickest there.'
export const platformDockerHelp = 'In a Docker container on one of your machines.'
export const platformKubernetesHelp =
  'As a pod of your cluster. The first start there takes longer, because its image is brought there.'
export const memoryNeeded = 'Memory'
export const networkLabel = 'Network'
export const networkInternet = 'Internet'
export const networkNone = 'None'
export const licence = 'Licence'
export const versionLabel = 'Version'
export const documentation = 'Documentation'
export const answerMissing = 'This one is needed.'
export const catalogProblems = (many: number) => `${count(many, 'template', 'templates')} could not be read.`

// Launch progress, on the way to the first picture
export const progressPlaced = 'Finding a place for it…'
export const progressStarting = 'Starting…'
export const progressScreen = 'Opening its screen…'
export const progressConnecting = 'Connecting to its screen…'
export const progressPicture = 'Waiting for the first picture…'
export const startingTitle = (name: string) => `Starting ${name}`
export const failedTitle = (name: string) => `${name} did not make it`
export const stoppedTitle = (name: string) => `${name} has stopped`
export const stoppingTitle = (name: string) => `${name} is stopping`
export const lastLines = 'Its last words'
export const startAfresh = 'Start afresh'

// Viewer
export const viewerLabel = (name: string) => `Screen of ${name}`
export const viewerBar = 'Session bar'
export const viewerShowBar = 'Show the session bar'
export const viewerHideBar = 'Hide the bar'
export const viewerChord = 'leaves the screen and shows the bar'
export const keyControl = 'Ctrl'
export const keyAlt = 'Alt'
export const keyShift = 'Shift'
export const keySuper = 'Super'
export const keyEscape = 'Esc'
export const keyTab = 'Tab'
export const keys = 'Keys'
export const keysSend = 'Send keys'
export const keysHold = 'Hold down'
export const keyboard = 'Keyboard'
export const keyboardInput = 'Type here; it goes to the session'
export const clipboard = 'Clipboard'
export const clipboardText =
  'What you copy in the session appears here; what you write here can be pasted there.'
export const clipboardField = 'Text on the session’s clipboard'
export const clipboardSend = 'Put on the session’s clipboard'
export const clipboardCopy = 'Copy to this device'
export const clipboardSent = 'On the session’s clipboard.'
export const clipboardAuto = 'Keep both clipboards the same'
export const clipboardDenied = 'Your browser does not allow it here. Use the buttons instead.'
export const fit = 'Size'
export const fitResize = 'Fit to window'
export const fitScale = 'Scale picture'
export const fitActual = 'Actual size'
export const fitHelp = 'Fit to window changes the session’s own screen size.'
export const quality = 'Picture'
export const qualityBest = 'Sharp'
export const qualityBalanced = 'Balanced'
export const qualitySaving = 'Saving'
export const fullScreen = 'Full screen'
export const leaveFullScreen = 'Leave full screen'
export const figures = 'Figures'
export const figureLatency = 'Key to picture'
export const figureFrames = 'Pictures per second'
export const figureBandwidth = 'Received'
export const figureStart = 'Start'
export const viewings = 'How the picture was'
export const viewingsNone = 'Told here once somebody has looked at its screen.'

export const viewingLasted = 'For'
export const viewingAll = (bytes: string, rate: string) => `${bytes} (${rate})`
export const perSecond = (amount: string) => `${amount}/s`
export const notMeasured = 'not yet'
export const stop = 'Stop'
export const restart = 'Restart'
export const stopTitle = (name: string) => `Stop ${name}?`
export const stopText = 'Everything open in it closes, and files kept only inside it are lost.'
export const restartTitle = (name: string) => `Restart ${name}?`
export const restartText =
  'It starts afresh: everything open in it closes, and files kept only inside it are lost.'
export const stopped = (name: string) => `${name} has stopped.`
export const restarted = (name: string) => `${name} is starting again.`
export const leave = 'Leave, keep it running'
export const awayTitle = 'The connection is gone'
export const awayFor = (seconds: number) => `Away for ${seconds} s. Your session runs on; trying again…`
export const awayNow = 'Try now'
export const viewerRevoked = 'This screen was closed'
export const viewerRevokedText = 'You were signed out, or the right to see it was taken back.'

// Session page
export const sessionGone = 'This session cannot be shown'
export const sessionWhere = 'Where'
export const sessionPlatform = 'Platform'
export const sessionTemplate = 'Template'
export const sessionOwner = 'Whose'
export const sessionStarted = 'Started'
export const sessionEnded = 'Ended'
export const sessionGeneration = 'Started afresh'
export const times = (many: number) => (many === 0 ? 'never' : many === 1 ? 'once' : `${many} times`)
export const logs = 'What its programs printed'
export const openScreen = 'Open screen'
export const notYet = 'not yet'

// Settings
export const settingsMe = 'Me'
export const settingsControllers = 'Controllers'
export const meTitle = 'Me'
export const meText = 'Your account and how Kalnet looks on this device.'
export const meAccount = 'Account'
export const meName = 'Name'
export const meSaved = 'Your name is saved.'
export const mePassword = 'Password'
export const mePasswordChange = 'Change password'
export const mePasswordSaved = 'Your password is changed.'
export const meLook = 'Look'
export const lookAuto = 'As the device'
export const lookLight = 'Light'
export const lookDark = 'Dark'
export const meRole = 'Role'
export const roleOwner = 'Owner'
export const roleAdmin = 'Admin'
export const roleMember = 'Member'
export const roleChild = 'Child'
export const roleGuest = 'Guest'
export const meSignInSince = 'Signed in'
export const meHousehold = 'Household or team'
export const controllersText =
  'The machines that run things for you. Each one dials out to Kalnet; none needs an open port.'
export const controllersEmpty = 'No machine is enrolled'
export const controllersEmptyText =
  'A controller is our program on a machine that runs sessions. Add this machine or another one.'
export const controllerAdd = 'Add a machine'
export const controllerName = 'Name of the machine'
export const controllerNameExample = 'Living room box'
export const controllerMake = 'Make the command'
export const controllerCommand = 'Run this on the machine'
export const controllerCommandText =
  'It works once and for one hour. The machine appears in the list as soon as it has connected.'
export const controllerOnline = 'Connected'
export const controllerOffline = 'Not connected'
export const controllerNever = 'Never connected'
export const controllerSeen = 'Last seen'
export const controllerRuns = (many: number) =>
  many === 0 ? 'Runs nothing now' : `Runs ${count(many, 'instance', 'instances')}`
export const controllerMemory = 'Memory in use'
export const controllerMemoryUse = (used: string, total: string) => `${used} of ${total}`
export const controllerCpus = (many: number) => count(many, 'processor', 'processors')
export const controllerDisk = (free: string) => `${free} of disk free`
export const controllerLoad = (load: string) => `load ${load}`
export const controllerMenu = (name: string) => `Actions for ${name}`
export const controllerInstallation =
  'It belongs to this installation. Manage it on the machine, with ./kalnet controllers.'
export const controllerCordoned = 'Takes nothing new'
export const controllerCordon = 'Take nothing new'
export const controllerUncordon = 'Take new sessions again'
export const controllerCordonDone = (name: string) => `${name} takes nothing new. What runs there runs on.`
export const controllerUncordonDone = (name: string) => `${name} takes new sessions again.`
export const controllerDrain = 'Empty it…'
export const controllerDrainTitle = (name: string) => `Empty ${name}?`
export const controllerDrainText = (many: number) => {
  const closed = 'It takes nothing new until you let it.'
  if (many === 0) return `Nothing runs there now. ${closed}`
  if (many === 1) return `One session ends, and what is not saved in it is lost. ${closed}`
  return `${many} sessions end, and what is not saved in them is lost. ${closed}`
}
export const controllerDrainAction = 'Empty it'
export const controllerDrained = (name: string, many: number) =>
  many === 0
    ? `${name} is empty.`
    : `${name} is being emptied: ${count(many, 'session ends', 'sessions end')}.`
export const controllerLabels = 'Labels'
export const controllerLabelsEdit = 'Labels…'
export const controllerLabelsOf = (name: string) => `Labels of ${name}`
export const controllerLabelsHelp =
  'One a line, such as room=attic. A start can ask for machines that carry certain labels.'
export const controllerLabelsSaved = (name: string) => `The labels of ${name} are saved.`
export const controllerLabelsExample = 'room=attic'
export const labelShape = (line: string) => `“${line}” is not a label: write name=value.`
export const labelName = (name: string) =>
  `“${name}”: use lower-case letters, digits and dashes for the name.`
export const labelValue = (value: string) =>
  `“${value}”: use up to 63 letters, digits, dots and dashes for the value.`
export const labelsTooMany = (most: number) => `More than ${most} labels.`
export const controllerRevoke = 'Revoke'
export const controllerRevokeTitle = (name: string) => `Revoke ${name}?`
export const controllerRevokeText = (many: number) =>
  many === 0
    ? 'Its key stops working at once. To use the machine again, enrol it with a new command.'
    : `Its key stops working at once, and ${count(many, 'instance', 'instances')} on it can no longer be reached. To use the machine again, enrol it with a new command.`
export const controllerRevoked = (name: string) => `${name} is revoked.`
export const isolationUid = 'A user of its own for each session'
export const isolationUserns = 'Isolated in a user namespace'
export const isolationContainer = 'Isolated in containers'
export const isolationNone = 'No isolation: not used'
export const platformUsable = 'Ready'
export const platformUnusable = 'Not usable'
export const hasLimits = 'Limits enforced'
export const hasNoLimits = 'No limits here'
export const hasNetwork = 'Filtered network'
export const hasNoNetwork = 'No network'
export const imagesBuilt = (many: number) => `${count(many, 'image', 'images')} built`

// Palette
export const paletteSearch = 'Go anywhere, start anything'
export const paletteGo = 'Go to'
export const paletteSessions = 'Your sessions'
export const paletteStart = 'Start'
export const paletteNothing = 'Nothing matches.'
