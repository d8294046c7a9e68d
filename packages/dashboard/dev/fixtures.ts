/** What the stand-in starts with: people, templates, sessions, machines, and worlds that are empty, full or odd. */
import type { CatalogEntry } from '@kalnet/contracts/catalog'
import type { Controller } from '@kalnet/contracts/controller'
import type { Me } from '@kalnet/contracts/identity'
import type { Session } from '@kalnet/contracts/session'
import type { Viewing } from '@kalnet/contracts/viewing'
import { CLUSTERS } from './cluster-stand-in.ts'
import { SERVICE_TEMPLATES } from './service-templates.ts'

export const uuid = (number: number) => `01990000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`
const before = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString()

export const ME: Me = {
  id: uuid(1),
  name: 'Ada Larch',
  email: 'ada@example.org',
  role: 'owner',
  organisationId: uuid(2),
  organisationName: 'The Larch House',
  signedInAt: before(7_000),
  unproved: false,
}

type Brief = [string, string, string, CatalogEntry['category'], boolean, number]
const BRIEFS: Brief[] = [
  ['terminal', 'Terminal', 'A command line of its own, ready in a moment.', 'tools', true, 256],
  ['firefox', 'Firefox', 'Browse the web away from your own computer.', 'browsers', true, 1024],
  ['chromium', 'Chromium', 'The open browser that Chrome is made from.', 'browsers', true, 1024],
  ['files', 'File manager', 'Look through, sort and move files.', 'tools', true, 256],
  ['editor', 'Text editor', 'Write notes and plain text.', 'office', true, 256],
  ['libreoffice', 'LibreOffice', 'Letters, tables and slides.', 'office', false, 1024],
  ['gimp', 'GIMP', 'Retouch photos and paint.', 'design', true, 1024],
  ['inkscape', 'Inkscape', 'Draw logos and pictures that scale.', 'design', false, 768],
  ['vlc', 'VLC', 'Play nearly every film and sound there is.', 'media', false, 512],
  [
    'desktop',
    'Development desktop',
    'A whole desktop with git, an editor and a terminal.',
    'development',
    true,
    1536,
  ],
]
export const TEMPLATES: CatalogEntry[] = BRIEFS.map(([id, name, summary, category, proved, memory]) => ({
  id,
  kind: 'session',
  doors: [],
  dependencies: [],
  replicasMost: 1,
  version: '1.2.0',
  name,
  summary,
  description: `${summary}\n\nIt runs in a sandbox of its own. When you stop it, everything inside it is gone; nothing of it reaches the machine.`,
  category,
  keywords: [],
  icon: `/api/templates/${id}/icon`,
  licence: 'MPL-2.0',
  docs: 'https://example.org/docs',
  platforms: ['process', 'docker'],
  inputs:
    id === 'firefox'
      ? [
          {
            name: 'start',
            label: 'First page',
            help: 'Opened when it starts.',
            type: 'url',
            required: false,
            default: 'https://example.org',
            maxLength: 200,
            environment: 'START_PAGE',
          },
          {
            name: 'private',
            label: 'Private window',
            type: 'boolean',
            required: false,
            default: false,
            maxLength: 200,
            environment: 'PRIVATE',
          },
        ]
      : [],
  memoryBytes: memory * 2 ** 20,
  network: id === 'editor' ? 'none' : 'internet',
  proved,
  deprecated: id === 'vlc' ? 'Use the new media player instead.' : null,
}))

export function makeSession(number: number, change: Partial<Session> = {}): Session {
  const template = TEMPLATES[number % TEMPLATES.length] as CatalogEntry
  const age = 900 * (number + 1)
  const at = (ms: number) => new Date(Date.now() - age * 1000 + ms).toISOString()
  return {
    id: uuid(1000 + number),
    name: template.name,
    templateId: template.id,
    templateName: template.name,
    userId: ME.id,
    userName: ME.name,
    instanceId: uuid(5000 + number),
    generation: 1,
    platform: number % 2 ? 'docker' : 'process',
    controllerId: uuid(10),
    controllerName: 'This machine',
    reachable: true,
    state: 'running',
    reason: null,
    logTail: [],
    progress: null,
    keepsHome: true,
    home: null,
    idle: null,
    stages: {
      accepted: at(0),
      placed: at(12),
      created: at(240),
      displayReady: at(610),
      firstByte: at(680),
      firstFrame: at(745),
    },
    createdAt: at(0),
    endedAt: null,
    ...change,
  }
}

const viewed = (
  number: number,
  ago: number,
  it: Omit<Viewing, 'id' | 'userId' | 'userName' | 'beganAt' | 'heardAt'>,
) => ({
  id: uuid(9100 + number),
  userId: ME.id,
  userName: ME.name,
  beganAt: before(ago + it.elapsedMs / 1000),
  heardAt: before(ago),
  ...it,
})
/** A busy hour at the desk, and a short look from elsewhere. */
export const VIEWINGS: Viewing[] = [
  viewed(1, 700, { elapsedMs: 3_480_000, frames: 41_760, bytes: 655_000_000, keyToPictureMs: 9 }),
  viewed(2, 9_000, { elapsedMs: 42_000, frames: 310, bytes: 2_100_000, keyToPictureMs: null }),
]

const LOG = ['(xterm) cannot allocate colour map', 'Killed', 'session: the program ended with code 137']
export const ENDED: Session[] = [
  makeSession(20, { state: 'stopped', reason: 'You stopped it', endedAt: before(1_300) }),
  makeSession(25, {
    name: 'Tax papers 2026',
    state: 'failed',
    reason: 'It used more than 1 GB of memory and was ended.',
    logTail: LOG,
    endedAt: before(8_000),
  }),
  makeSession(21, {
    userId: uuid(3),
    userName: 'Grace',
    state: 'stopped',
    reason: 'Grace stopped it',
    endedAt: before(90_000),
  }),
]
export const LIVE: Session[] = [
  makeSession(0),
  makeSession(1, { name: 'Holiday research' }),
  makeSession(9, { reachable: false, controllerName: 'Attic box' }),
  makeSession(6, { userId: uuid(3), userName: 'Grace' }),
]

/** What is kept of one that sleeps. */
export const HOME: Session['home'] = {
  bytes: 1_240_000_000,
  reservedBytes: null,
  place: `/var/lib/kalnet/volumes/${uuid(900)}/data`,
  measuredAt: before(600),
}
export const ASLEEP = makeSession(11, {
  name: 'Letters',
  state: 'hibernated',
  reason: 'Nobody used it for 12 hours.',
  home: HOME,
})
/** Somebody looks, and nobody types: soon it sleeps. */
export const UNUSED = makeSession(4, {
  idle: { action: 'hibernate', at: new Date(Date.now() + 3_600_000).toISOString() },
})

const GB = 1e9
export const CONTROLLERS: Controller[] = [
  {
    id: uuid(10),
    name: 'This machine',
    hostname: 'larch',
    version: '0.1.0',
    state: 'online',
    lastSeenAt: before(2),
    fingerprints: [
      {
        platform: 'process',
        usable: true,
        detail: '',
        version: 'bubblewrap 0.8.0',
        isolation: 'uid',
        limits: true,
        network: true,
        images: ['a', 'b', 'c'],
      },
      {
        platform: 'docker',
        usable: false,
        detail: 'The engine does not answer on /var/run/docker.sock. Start it, or install docker.io.',
        version: '',
        isolation: 'container',
        limits: false,
        network: false,
        images: [],
      },
    ],
    capacity: {
      cpus: 4,
      memoryBytes: 16.6 * GB,
      memoryFreeBytes: 9.1 * GB,
      diskFreeBytes: 214 * GB,
      load1: 0.7,
    },
    instances: 3,
    cordoned: false,
    labels: {},
    installation: true,
    createdAt: before(900_000),
  },
  {
    id: uuid(11),
    name: 'Attic box',
    hostname: 'attic',
    version: '0.1.0',
    state: 'offline',
    lastSeenAt: before(5_400),
    fingerprints: [
      {
        platform: 'docker',
        usable: true,
        detail: '',
        version: 'Docker 27.1',
        isolation: 'container',
        limits: true,
        network: true,
        images: ['a'],
      },
    ],
    capacity: {
      cpus: 8,
      memoryBytes: 33.5 * GB,
      memoryFreeBytes: 2.2 * GB,
      diskFreeBytes: 41 * GB,
      load1: 5.2,
    },
    instances: 1,
    cordoned: true,
    labels: { room: 'attic', gpu: 'none' },
    installation: false,
    createdAt: before(90_000),
  },
  {
    id: uuid(12),
    name: 'Living room',
    hostname: null,
    version: null,
    state: 'never-connected',
    lastSeenAt: null,
    fingerprints: [],
    capacity: null,
    instances: 0,
    cordoned: false,
    labels: {},
    installation: false,
    createdAt: before(100),
  },
]

export const WORLDS = ['usual', 'unclaimed', 'signed-out', 'empty', 'many', 'long', 'error', 'slow'] as const
export type World = (typeof WORLDS)[number]
const LONG = 'Quarterly household accounts and receipts'

export interface State {
  world: World
  claimed: boolean
  me: Me | null
  templates: CatalogEntry[]
  sessions: Session[]
  controllers: Controller[]
}
export function makeState(world: World): State {
  const usual: State = {
    world,
    claimed: world !== 'unclaimed',
    me: world === 'unclaimed' || world === 'signed-out' ? null : ME,
    templates: [...TEMPLATES, ...SERVICE_TEMPLATES],
    sessions: [...LIVE, ASLEEP, ...ENDED],
    controllers: [...CONTROLLERS, ...CLUSTERS],
  }
  if (world === 'empty') return { ...usual, sessions: [], templates: [], controllers: [] }
  if (world === 'many') {
    const many = Array.from({ length: 200 }, (_, at) => makeSession(at + 100, { name: `Session ${at + 1}` }))
    return {
      ...usual,
      sessions: [...many, ...ENDED],
      templates: Array.from({ length: 200 }, (_, at) => ({
        ...(TEMPLATES[at % TEMPLATES.length] as CatalogEntry),
        id: `t-${at}`,
        name: `Template ${at + 1}`,
      })),
    }
  }
  if (world === 'long') {
    return {
      ...usual,
      me: {
        ...ME,
        name: 'Maximiliane-Friederike von Hohenlohe-Lang',
        organisationName: 'Wohngemeinschaft an der alten Gärtnerei',
      },
      sessions: [...usual.sessions, UNUSED].map((it) => ({
        ...it,
        name: LONG,
        userName: 'Maximiliane-Friederike von Hohenlohe-Lang',
      })),
      templates: TEMPLATES.map((it) => ({ ...it, name: 'Bürokommunikationsanwendungsentwicklung 1' })),
      controllers: usual.controllers.map((it, at) => ({
        ...it,
        name: `Unterhaltungselektronikschrank-Server-0${at}`,
        labels: { raum: 'Wirtschaftsraum-neben-der-Garderobe-im-Erdgeschoss', ...it.labels },
      })),
    }
  }
  return usual
}
