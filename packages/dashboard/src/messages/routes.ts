/** Words of addresses: where each leads, who may pass, its rules in plain words, who calls whom. */
const count = (value: number, one: string, many: string) =>
  `${new Intl.NumberFormat('en').format(value)} ${value === 1 ? one : many}`

export const settingsNetwork = 'Network'
export const networkText = 'Which address leads where, who may pass, and what calls what.'
export const routesTitle = 'Addresses'
export const routesText =
  'Each one leads to a service. A change holds at once and cuts nobody off who may stay.'
export const routesEmpty = 'No address leads anywhere yet'
export const routesEmptyText = 'A service brings its own when it is added. More can be made here.'
export const routesEmptyOf = 'No address leads here'
export const routesEmptyOfText = 'Only other services reach it. Make an address if people shall open it.'
export const routesNoService = 'Add a service first; then an address can lead to it.'

export const wayInTitle = (names: boolean) =>
  names ? 'Not every name is answered at the moment' : 'Not every address works at the moment'
export const wayInProblem = (it: {
  part: 'gateway' | 'names'
  gateway: string | null
  address: string | null
  problem: string
}) =>
  [
    it.gateway === null ? '' : `At the gateway ${it.gateway}: `,
    it.part === 'names' ? 'Names: ' : '',
    it.address === null ? '' : `${it.address}: `,
    it.problem,
  ].join('')

// One of them
export const routePort = (kind: string, port: number) => `${kind} port ${port}`
export const routeSni = (name: string) => `for ${name}`
export const routeLeads = (service: string, port: string) => `leads to ${service}, ${port}`
export const routePublic = 'Everybody, without signing in'
export const routeSignedIn = 'Everybody who is signed in'
export const routeAnybody = 'Whoever reaches the port'
export const routeInternal = 'Only at home'
export const routeInternalShort = 'only at home'
export const routeExternal = 'Also from outside'
export const routePasswords = 'app passwords'
export const routeTemplate = 'came with the service'
export const routeMutual = 'encrypted to the service'
export const routeActions = (address: string) => `Actions for ${address}`
export const routeChange = 'Who and how…'
export const routeRemove = 'Remove…'
export const routeRemoveTitle = 'Remove this address?'
export const routeRemoveText = (address: string) =>
  `${address} leads nowhere from then on. The service itself runs on.`
export const routeRemoveAction = 'Remove address'
export const routeRemoved = 'The address is removed.'
export const routeSaved = 'The new rules hold from now on.'
export const routeAdded = 'The address leads there now.'

// Its figures
export const figureRequests = (perMinute: string) => `${perMinute} a minute`
export const figureRequestsTotal = (total: number) => count(total, 'request', 'requests')
export const figureFailures = (share: string) => `${share} failed`
export const figureNoFailures = 'none failed'
export const figureSlowest = (time: string) => `99 of 100 within ${time}`
export const figureOpen = (open: number) => `${open} open now`
export const figureNone = 'Nobody came by yet'
export const figureBreaker = 'Left alone for a moment: too many failures'
export const figureTrying = 'Trying whether it works again'

// Its rules in plain words
export const ruleBalance = {
  'round-robin': 'Requests go to each instance in turn.',
  weighted: 'Requests are shared out by weight.',
  'least-connections': 'A request goes where the least is going on.',
}
export const ruleSticky = 'A visitor stays with the same instance.'
export const ruleCanary = (percent: number, release: number) =>
  `${percent} % of requests go to release ${release}.`
export const ruleRetries = (times: number) =>
  times === 0
    ? 'What fails is not tried again.'
    : `What fails is tried again, up to ${times === 1 ? 'once' : `${times} times`}.`
export const ruleBreaker = (percent: number, seconds: string) =>
  `When ${percent} % fail, it is left alone for ${seconds}.`
export const ruleBreakerSays = (percent: number) => `When ${percent} % fail, it says so and goes on.`
export const ruleRate = (perSecond: number, each: boolean) =>
  `At most ${perSecond} a second ${each ? 'for each visitor' : 'in all'}.`
export const ruleTimeout = (seconds: string) => `An answer may take ${seconds}.`
export const ruleBody = (bytes: string) => `No more than ${bytes} are let in at once.`

// Changing it
export const routeWho = 'Who may open it?'
export const routeWhoPeople = 'People who are signed in'
export const routeWhoPublic = 'Everybody'
export const routeWhoPublicMore = 'Also whoever has no account here. The service must look after itself.'
export const routePasswordsLabel = 'Programs may come in with an app password'
export const routeExposure = 'From where?'
export const routeInternalMore = 'From this network alone.'
export const routeExternalMore = 'The firewall lets it through, too.'
export const routeAdvanced = 'Fine tuning'
export const routeBalance = 'Several instances'
export const balanceTurn = 'In turn'
export const balanceWeight = 'By weight'
export const balanceLeast = 'Least busy'
export const routeStickyLabel = 'A visitor stays with the same instance'
export const routeCanaryRelease = 'Try out release'
export const routeCanaryPercent = 'Share of requests for it, in percent'
export const routeCanaryHelp = 'Empty: the newest one gets all of them.'
export const routeConnect = 'Seconds to connect'
export const routeAnswer = 'Seconds to answer'
export const routeIdle = 'Seconds of silence'
export const routeAttempts = 'Tries again'
export const routeBudget = 'Tries again in all, percent of requests'
export const routeBreakerLabel = 'Leave it alone when too much fails'
export const routeBreakerPercent = 'Failures, in percent'
export const routeBreakerRequests = 'Of at least so many requests'
export const routeBreakerSeconds = 'Seconds to leave it alone'
export const routeRateLabel = 'Let only so many in'
export const routeRatePerSecond = 'A second'
export const routeRateBurst = 'At once'
export const routeRateBy = 'Counted'
export const routeRateClient = 'Each visitor'
export const routeRateRoute = 'All together'
export const routeHeadersLabel = 'Add the usual headers of safety'
export const routeNumberWrong = (from: number, to: number) => `A number from ${from} to ${to}.`

// A new one
export const routeAdd = 'Add an address'
export const routeKind = 'What kind?'
export const routeKindHttp = 'Website'
export const routeKindTcp = 'TCP port'
export const routeKindUdp = 'UDP port'
export const routeHost = 'Host name'
export const routeHostExample = 'photos.example.org'
export const routeHostWrong = 'A name like photos.example.org.'
export const routePath = 'From which path on'
export const routePathHelp = 'A lone / means all of it.'
export const routePathWrong = 'It begins with / and has plain characters only.'
export const routeStrip = 'The service does not see this path'
export const routeListen = 'Port people connect to'
export const routeListenWrong = 'A number from 1 to 65535.'
export const routeSniLabel = 'Only for this host name'
export const routeSniHelp = 'Empty: all of the port.'
export const routeService = 'Leads to'
export const routeServicePort = 'Port of the service'
export const routeServicePortHelp = 'By its name, as in its template: http, web, sql.'
export const routeServicePortWrong = 'Small letters, digits and dashes.'

// Who calls whom
export const mapTitle = 'Who calls whom'
export const mapText = 'Drawn from calls that were really made since the gateway started.'
export const mapNone = 'No call has been seen yet'
export const mapNoneText =
  'As soon as somebody opens a service, or one service asks another, it is drawn here.'
export const mapOutside = 'People and programs'
export const mapDrawing = (services: number, links: number) =>
  `Drawing: ${count(services, 'service', 'services')}, ${count(links, 'connection', 'connections')}. The list beside it says the same.`
export const mapList = 'All connections'
export const mapCalls = (calls: number) => count(calls, 'call', 'calls')
export const mapFailures = (failures: number) => (failures === 0 ? 'none failed' : `${failures} failed`)
export const mapTo = 'to'
