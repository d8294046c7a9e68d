/** What the tests of the started stack look at from inside it, and what they bring along: a certificate of one's own, a second person. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { invitationRoutes } from '@kalnet/contracts/invitation'
import { type Service, serviceRoutes } from '@kalnet/contracts/service'
import { systemClock } from '@kalnet/io/clock'
import { authorityFile, ensureTls } from '@kalnet/server/core/tls'
import { type Client, createClient, OWNER } from '../support/client.ts'
import { tokenOf } from '../support/product.ts'
import { docker } from './images.ts'
import type { Stack } from './stack.ts'

/** Runs our image once, on a file system that is only read; answers what it said. */
export const inImage = async (how: string[], ...words: string[]): Promise<string> =>
  (await docker('run', '--rm', '--read-only', ...how, 'kalnet:local', ...words)).stdout.trim()

/** Into Traefik's folder, as docs/network.md says it; answers the authority to be trusted. No authority of the internet is reached here. */
export async function bringCertificate(folder: string, names: string[]): Promise<string> {
  const own = await mkdtemp(join(tmpdir(), 'kalnet-own-'))
  try {
    const tls = await ensureTls(own, names)
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'home.crt'), tls.certificate)
    await writeFile(join(folder, 'home.key'), tls.key, { mode: 0o600 })
    const at = '/etc/traefik/compose/home'
    const text = `tls: { certificates: [{ certFile: ${at}.crt, keyFile: ${at}.key }] }\n`
    await writeFile(join(folder, 'certificates.yml'), text)
    return await readFile(authorityFile(own), 'utf8')
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

/** Where the control plane finds the database and NATS, as numbers: names are told within one network only. */
export const LOOKED_UP =
  "const {lookup}=require('dns/promises');Promise.all(['postgres','nats'].map(n=>lookup(n))).then(([p,n])=>console.log(JSON.stringify({postgres:p.address,nats:n.address})))"
/** Says yes or no: is a connection to this host and port taken. */
export const DIAL =
  "const s=require('net').connect({host:process.argv[1],port:Number(process.argv[2])});const end=t=>{console.log(t);process.exit()};s.on('connect',()=>end('yes'));s.on('error',()=>end('no'));setTimeout(()=>end('no'),3000)"

/** Somebody else of the same household, who may not look after this installation. */
export async function memberOf(owner: Client, base: string, ca: string): Promise<Client> {
  const email = 'grace@example.org'
  const { link } = await owner.call(invitationRoutes.invite, { body: { email, role: 'member' } })
  const member = createClient(base, ca, '127.0.0.1')
  await member.call(invitationRoutes.accept, {
    body: { token: tokenOf(link.url), name: 'Grace', email, password: OWNER.password },
  })
  return member
}

/** Its instances run and are healthy; what is answered while the control plane itself comes back is waited through. */
export async function untilRuns(client: Client, stack: Stack, id: string): Promise<void> {
  const until = Date.now() + 15 * 60_000
  for (;;) {
    const { status, body } = await client.attempt(serviceRoutes.read, { params: { id } })
    const it = body as Service
    const isWell = () => it.instances.every((one) => one.health?.state === 'healthy')
    if (status === 200 && it.state === 'running' && isWell()) return
    if (Date.now() > until || it.state === 'failed')
      throw new Error(`it does not run: ${JSON.stringify(it)}\n${await stack.log('controller')}`)
    await systemClock.sleep(500)
  }
}
