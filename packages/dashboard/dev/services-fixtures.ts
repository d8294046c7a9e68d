/** The stand-in's services: one in every state. */
import type { Health } from '@kalnet/contracts/health'
import type { Service, ServiceInstance } from '@kalnet/contracts/service'
import { uuid } from './fixtures.ts'

const MINUTE = 60_000
const DAY = 86_400_000
export const at = (ms: number) => new Date(Date.now() + ms).toISOString()
const health = (state: Health['state'], ago: number, detail: string): Health => ({
  state,
  detail,
  changedAt: at(-ago),
  tookMs: state === 'healthy' ? 12 : null,
})
const WELL = health('healthy', 3 * 3_600_000, 'It answered with 200')

export const makeInstance = (number: number, change: Partial<ServiceInstance> = {}): ServiceInstance => ({
  id: uuid(7000 + number),
  part: 'web',
  number: 0,
  release: 3,
  generation: 1,
  state: 'running',
  health: WELL,
  reason: null,
  progress: null,
  platform: 'process',
  controllerId: uuid(10),
  controllerName: 'This machine',
  restarts: 0,
  nextStartAt: null,
  startedAt: at(-3 * 3_600_000),
  ...change,
})
export const makeService = (
  number: number,
  name: string,
  title: string,
  change: Partial<Service> = {},
): Service => ({
  id: uuid(6000 + number),
  name,
  title,
  kind: 'managed',
  templateId: name,
  templateName: title,
  updateTo: null,
  desired: 'running',
  state: 'running',
  reason: null,
  release: 3,
  version: '1.2.0',
  replicas: 1,
  instances: [makeInstance(number * 10)],
  metadata: { version: null, tags: [], capabilities: ['http'] },
  url: `https://${name}.larch.home.arpa:7443/`,
  dependencies: [],
  createdAt: at(-40 * DAY),
  changedAt: at(-3 * 3_600_000),
  ...change,
})

export const SERVICES: Service[] = [
  makeService(1, 'notes', 'Family notes', {
    templateId: 'static-site',
    templateName: 'Static site',
    updateTo: '1.3.0',
    replicas: 2,
    instances: [
      makeInstance(10),
      makeInstance(11, { number: 1, platform: 'docker', controllerName: 'Attic box' }),
    ],
    metadata: { version: null, tags: ['family', 'website'], capabilities: ['http'] },
  }),
  makeService(2, 'calendar', 'Calendars', { templateId: 'radicale', templateName: 'Radicale' }),
  makeService(3, 'automation', 'Node-RED', { templateId: 'node-red', dependencies: ['database'] }),
  makeService(4, 'packages', 'Package shelf', {
    templateId: 'verdaccio',
    templateName: 'Verdaccio',
    state: 'unhealthy',
    reason: 'It runs, but has not answered for 4 minutes.',
    instances: [
      makeInstance(40, { health: health('unhealthy', 4 * MINUTE, 'No answer within 5 s'), restarts: 1 }),
    ],
  }),
  makeService(5, 'wiki', 'House wiki', {
    templateId: 'tiddlywiki',
    templateName: 'TiddlyWiki',
    desired: 'stopped',
    state: 'stopped',
    instances: [],
  }),
  makeService(6, 'database', 'PostgreSQL', { templateId: 'postgresql', url: null }),
  makeService(7, 'games', 'Block world', {
    templateId: 'minetest-server',
    templateName: 'Luanti',
    state: 'failed',
    url: null,
    reason: 'It ended by itself four times in a row. It is started again, each time a little later.',
    instances: [
      makeInstance(70, {
        state: 'failed',
        health: null,
        reason: 'It ended with code 1.',
        restarts: 4,
        nextStartAt: at(40_000),
        startedAt: null,
      }),
    ],
  }),
  makeService(8, 'chat', 'Family chat', {
    templateId: 'synapse',
    templateName: 'Synapse',
    state: 'updating',
    instances: [
      makeInstance(80, { release: 3 }),
      makeInstance(81, {
        release: 4,
        state: 'starting',
        health: health('starting', 5_000, 'Not asked yet'),
        progress: { step: 'ready', text: 'Waiting for it to answer', share: null },
        startedAt: null,
      }),
    ],
  }),
  makeService(9, 'album', 'Photo album', {
    templateId: 'immich',
    templateName: 'Immich',
    state: 'starting',
    release: 1,
    instances: [
      makeInstance(90, {
        release: 1,
        state: 'starting',
        health: null,
        progress: { step: 'image', text: 'Unpacking its files', share: 0.4 },
        startedAt: null,
      }),
    ],
  }),
  makeService(10, 'printer', 'Printer', {
    kind: 'outside',
    templateId: null,
    templateName: null,
    version: null,
    release: null,
    instances: [],
    metadata: { version: '4.1', tags: ['office'], capabilities: ['http'] },
  }),
  makeService(11, 'kalnet', 'Kalnet itself', {
    kind: 'platform',
    templateId: null,
    templateName: null,
    version: '0.1.0',
    release: null,
    url: null,
    instances: [],
  }),
]
