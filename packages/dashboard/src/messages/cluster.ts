/** The page of a cluster, and how one is added. */
const count = (value: number, one: string, many: string) =>
  `${new Intl.NumberFormat('en').format(value)} ${value === 1 ? one : many}`

export const enrolKind = 'What is it?'
export const enrolMachine = 'A machine'
export const enrolCluster = 'A Kubernetes cluster'
export const enrolClusterHelp =
  'Sessions and services then run on the machines of the cluster. It needs nothing but what you apply.'
export const enrolClusterName = 'Name of the cluster'
export const enrolClusterExample = 'Team cluster'
export const enrolRegistry = 'Registry with the images'
export const enrolRegistryHelp =
  'Where the cluster gets sessions of the catalog from. Left empty, only images by reference run there.'
export const enrolRegistryExample = 'https://registry.example.com/kalnet'
export const enrolImage = 'Image of Kalnet'
export const enrolImageHelp = 'As the machines of the cluster get it.'
export const enrolImageExample = 'registry.example.com/kalnet/kalnet:0.1.0'
export const enrolUrl = 'Address of this Kalnet'
export const enrolUrlHelp = 'Only where the cluster reaches it under another one than you do.'
export const enrolOthers = 'It may read the pods of others, so that what is really free is known'
export const enrolApart =
  'Each organisation gets a namespace of its own, with a share (Kubernetes 1.30 or later)'
export const enrolMakeManifest = 'Make the manifest'
export const manifestTitle = 'Apply this to the cluster'
export const manifestText = (file: string) => `kubectl apply -f ${file}`
export const manifestWord =
  'It holds a word that works once. Keep the file to yourself until the cluster is connected.'
export const manifestDownload = 'Download'
export const manifestLabel = 'The manifest'
export const joinWaiting = (until: string) => `Waiting for it, until ${until}`
export const joinEnrolled = 'It has enrolled and is connecting'
export const joinConnected = 'Connected'
export const joinShow = 'Show it'
export const joinLate = 'Its time is over'
export const joinLateText = 'Nobody used the word in time, and it opens nothing any more. Make a new one.'
export const joinAgain = 'Make a new one'

export const clusterBack = 'Machines'
export const clusterShow = 'Machines and what waits'
export const clusterGone = 'There is no such machine'
export const clusterGoneText = 'It may have been revoked. The list shows all there are.'
export const clusterNone = 'This is no cluster'
export const clusterNoneText = 'It is one machine; all that is known of it is in the list.'
export const clusterSilent = 'Nothing is told yet'
export const clusterSilentText =
  'The controller of this cluster has not told about it. It does so when it connects, if it is of this release.'
export const clusterVersion = (version: string) => `Kubernetes ${version}`
export const clusterAway = 'Not connected: this is how it was'
export const clusterUnusable = 'The cluster cannot be used now'
export const clusterRoom = 'Room'
export const clusterMemory = 'Memory'
export const clusterCpu = 'Processors'
export const clusterOurs = (ours: string, all: string) => `${ours} of ${all}`
export const clusterBoth = (ours: string, others: string, all: string) => `${ours} + ${others} of ${all}`
export const clusterAsked = 'What instances have asked for, of what there is for them.'
export const clusterAskedBoth = 'What instances and others (+) have asked for, of what there is for them.'
export const clusterRoomUnknown =
  'How much room there is cannot be told, because the controller may not read the machines.'
export const clusterOthersUnknown = 'What others run there is not known, so less may be free.'
export const clusterMost = (memory: string) => `The largest instance that fits now has ${memory} of memory.`
export const clusterMostNone = 'No instance fits now.'
export const clusterNamespaces = (many: number) => (many === 1 ? 'Namespace' : 'Namespaces')
export const clusterRegistry = 'Registry'
export const clusterRegistryStates = {
  none: 'None. Only images by reference run here.',
  answers: 'Answers',
  refuses: 'Refuses us',
  away: 'Does not answer',
}
export const clusterStorage = 'Storage'
export const clusterStorageNone = 'No storage class: volumes have to be made by hand.'
export const clusterStorageUnknown = 'Not known'
export const clusterStorageOurs = 'for our volumes'
export const clusterStorageUsual = 'the usual one'
export const clusterWaiting = 'Waiting'
export const clusterWaitingNone = 'Nothing waits.'
export const clusterWaitingSince = 'Began to wait'
export const clusterWaitingOther = 'Of another household of this installation'
export const clusterWaitingMore = (many: number) => `And ${count(many, 'more waits', 'more wait')}.`
export const clusterMachines = 'Machines'
export const clusterMachinesMany = (many: number) => count(many, 'machine', 'machines')
export const clusterMachinesNone = 'The cluster has no machine.'
export const clusterMachineReady = 'Ready'
export const clusterMachineUnready = 'Takes nothing'
export const clusterMachineCordoned = 'Takes nothing new'
export const clusterMachineRuns = (many: number) => count(many, 'instance', 'instances')
export const clusterMachinesAll = (many: number) => `Show all ${many}`
export const clusterMachinesLeft = (many: number) =>
  `${count(many, 'more machine is', 'more machines are')} not listed.`
export const clusterImages = 'Images ahead'
export const clusterImagesText = 'They are on the machines before anybody waits for them.'
export const clusterImagesOn = (there: number, machines: number) =>
  there === machines ? `On ${count(machines, 'machine', 'machines')}` : `On ${there} of ${machines} machines`
export const clusterMissing = 'Not known or not possible'
export const clusterMissingText =
  'The controller lacks these rights in the cluster. Each is a choice: what it would be for stands beside it.'
