/** Who a service is, through the whole product: control plane, link, controller, files inside; only the platform is made up. */
import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Machine, type Person, type Plane, startPlane } from './support.ts'

const pair = `id: pair
version: 1.0.0
name: pair
summary: Runs nothing
category: tools
licence: MIT
kind: service
platforms: [fake]
parts:
  - name: web
    image: { reference: none }
    command: [program]
    links: [{ name: store, part: db, port: sql }]
    identity: true
  - name: db
    image: { reference: none }
    command: [database]
    ports: [{ name: sql, kind: tcp, at: { tcp: 5432 } }]
    identity: true
`
let plane: Plane
let machine: Machine
let owner: Person
beforeAll(async () => {
  plane = await startPlane({ templates: { pair } })
  owner = await plane.claim()
  machine = await plane.machine(undefined, 'attic')
})
afterAll(() => plane.end())

it('[MSH-4.identity] each part finds who it is before it starts, and anew when it is started afresh', async () => {
  const { body } = await plane.ask('POST', '/api/services', {
    as: owner.secret,
    body: { templateId: 'pair' },
  })
  const identities = () =>
    [...machine.world.runtimes.values()].flatMap(({ files }) => {
      const { 'identity/cert.pem': certificate, 'identity/key.pem': key, 'identity/ca.pem': ca } = files
      return certificate && key && ca ? [{ leaf: new X509Certificate(certificate), key, ca }] : []
    })
  await eventually('both have theirs', async () => identities().length === 2)
  const names = identities().map(({ leaf }) => leaf.subjectAltName ?? '')
  const organisation = /spiffe:\/\/([^,]+)\/pair/.exec(names[0] ?? '')?.[1]
  for (const text of names) expect(text).toContain(`URI:spiffe://${organisation}/pair, DNS:pair.`)
  // By the name of the link that leads there.
  expect(names.filter((text) => text.includes('DNS:store'))).toHaveLength(1)
  for (const { leaf, ca } of identities()) expect(leaf.verify(new X509Certificate(ca).publicKey)).toBe(true)
  const before = new Set(identities().map(({ leaf }) => leaf.serialNumber))
  await plane.ask('POST', `/api/services/${body.id}/restart`, { as: owner.secret, body: {} })
  await eventually('both have another one', async () => {
    const now = identities()
    return now.length === 2 && now.every(({ leaf }) => !before.has(leaf.serialNumber))
  })
})
