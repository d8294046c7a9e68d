/**
 * Kalnet on a real cluster without helm: what `kalnet render --kubernetes` prints, applied by kubectl, with a PostgreSQL that somebody else looks
 * after and a user of it with the least rights; changed, and taken away. Takes minutes: with KALNET_CLUSTER=all. See helm.real.test.ts for what
 * is a stand-in.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cli } from '@kalnet/cli/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { clusterIsNotAsked } from '../support/parts.ts'
import { claimHouse, HOST, type House, launchDesktop, seeScreen } from './household.ts'
import {
  ensureImages,
  type Installation,
  NAMESPACE,
  openInstallation,
  prepareNamespace,
} from './installation.ts'
import { type LentRegistry, lendRegistry } from './lent.ts'
import { isReady, podsOf, untilReady } from './pods.ts'
import { note } from './results.ts'

const needs = ['docker', 'kubectl', 'imageRegistry', 'clusterNetwork'] as const
const skip = await clusterIsNotAsked('Kalnet installed on a cluster without helm', needs)
const LONG = 15 * 60_000
const THEIRS = 'theirs'
const USER = [
  'create role kalnet login createrole password $$of-theirs-43$$',
  'create database kalnet owner kalnet',
]

const database = [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'database', namespace: THEIRS, labels: { app: 'database' } },
    spec: {
      containers: [
        {
          name: 'database',
          image: 'postgres:17',
          env: [
            { name: 'POSTGRES_USER', value: 'postgres' },
            { name: 'POSTGRES_DB', value: 'postgres' },
            { name: 'POSTGRES_PASSWORD', value: 'of-their-owner' },
          ],
          readinessProbe: {
            exec: { command: ['pg_isready', '--host=127.0.0.1'] },
            periodSeconds: 2,
            timeoutSeconds: 5,
          },
        },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'database', namespace: THEIRS },
    spec: { selector: { app: 'database' }, ports: [{ port: 5432 }] },
  },
]

describe.skipIf(skip)('Kalnet on a cluster without helm', { timeout: LONG }, () => {
  let installed: Installation
  let registry: LentRegistry
  let house: House
  const at = ['-n', NAMESPACE]
  const given: Record<string, unknown> = {
    image: 'kalnet:local',
    domain: HOST,
    postgres: { own: false },
    authorities: 'authorities',
  }
  const inDatabase = async (...words: string[]) =>
    (
      await installed.kubectl(
        '-n',
        THEIRS,
        'exec',
        'database',
        '--',
        'psql',
        '--username=postgres',
        '--host=/var/run/postgresql',
        '--tuples-only',
        ...words,
      )
    ).trim()

  async function rendered(): Promise<string> {
    const values = await installed.values(given)
    const { code, out, err } = await cli(
      join(installed.folder, 'home'),
      'render',
      '--kubernetes',
      '--values',
      values,
      '--print',
    )
    if (code !== 0) throw new Error(err)
    const file = join(installed.folder, 'kalnet.yaml')
    await writeFile(file, out)
    return file
  }

  beforeAll(async () => {
    await ensureImages()
    installed = await openInstallation()
    registry = await lendRegistry(installed)
    await registry.push('terminal')
    await installed.kubectl('create', 'namespace', THEIRS)
    const file = join(installed.folder, 'theirs.json')
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: database }))
    await installed.kubectl('apply', '-f', file)
    await eventually(
      'their database',
      async () => (await podsOf(installed, undefined, THEIRS)).every(isReady),
      LONG,
    )
    for (const statement of USER) await inDatabase('--command', statement)
  }, LONG)
  afterAll(async () => {
    await registry?.close()
    await installed?.close()
  }, LONG)

  it('[K8S-2.plain] applied by kubectl it starts on a database of somebody else, is claimed and shows a desktop', async () => {
    await prepareNamespace(installed, {
      'database-url': `postgres://kalnet:of-theirs-43@database.${THEIRS}.svc:5432/kalnet`,
    })
    await installed.kubectl(
      ...at,
      'create',
      'configmap',
      'authorities',
      `--from-literal=authorities.crt=${registry.authority}`,
    )
    const began = performance.now()
    await installed.kubectl('apply', '-f', await rendered())
    await untilReady(installed, { 'control-plane': 1 })
    await note('plain', { readyMs: Math.round(performance.now() - began) })
    house = await claimHouse(installed)
    const { token, command } = await installed.kalnet<{ token: string; command: string }>(
      'controllers',
      'enrol',
      'cluster',
    )
    const secret = JSON.stringify({ stringData: { 'controller-token': token } })
    await installed.kubectl(...at, 'patch', 'secret', 'kalnet', '-p', secret)
    given.authorityFingerprint = /--ca-fingerprint (\S+)/.exec(command)?.[1] ?? ''
    given.controller = { enabled: true, registry: `${registry.url}/kalnet` }
    await installed.kubectl('apply', '-f', await rendered())
    await untilReady(installed, { 'control-plane': 1, controller: 1 })
    const { session } = await launchDesktop(house)
    // Applied once more it starts nothing anew.
    const names = async () => (await podsOf(installed)).map((pod) => pod.metadata.name).toSorted()
    const before = await names()
    await installed.kubectl('apply', '-f', await rendered())
    expect(await names()).toEqual(before)
    await seeScreen(house, session.id)
  })

  it('[K8S-2.plain] kubectl delete takes all that came with it, volumes and instances too, and nothing of others', async () => {
    await installed.kubectl('delete', '-f', await rendered(), '--timeout=300s')
    const namespaces = await installed.kubectl('get', 'namespaces', '-o', 'name')
    expect(namespaces).not.toMatch(/kalnet/)
    for (const kind of ['clusterroles', 'clusterrolebindings', 'persistentvolumeclaims'])
      expect(await installed.kubectl('get', kind, '-A', '-o', 'name')).not.toMatch(/kalnet/)
    expect(await inDatabase('--dbname=kalnet', '--command', 'select count(*) from users')).toBe('1')
  })
})
