/** What outlives instances and what is put into them, in folders of this machine; user numbers need root and are seen in the real tests. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { give } from './given.ts'
import { hostsFile, linkPlaces } from './links.ts'
import { rootView } from './process/root-view.ts'
import { createVolumes, type Volumes } from './volumes.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kalnet-storage-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const volume = (id: string) => ({
  id,
  name: 'data',
  at: '/data',
  class: 'user-data' as const,
  readOnly: false,
})

describe('volumes', () => {
  const open = (platform: string): Volumes =>
    createVolumes({ data: home, runtime: join(home, 'run'), config: home }, platform)
  const never = async () => false

  test('[CTL-6.volume-kept] nobody takes one away that somebody uses, on whichever platform', async () => {
    const [one, other] = [open('process'), open('docker')]
    await one.take('i1', [volume('v1'), volume('v2')], null)
    await one.take('i1', [volume('v1')], null)
    writeFileSync(join(one.folderOf('v1'), 'kept'), 'a word')
    await expect(one.remove('v1', async (it) => it === 'i1')).rejects.toThrow('i1 uses the volume')
    // What the other platform knows of its instances says nothing about this one's.
    await expect(other.remove('v1', never)).rejects.toThrow('i1 uses the volume')
    await one.drop('i1')
    await one.drop('i1')
    expect(readFileSync(join(other.folderOf('v1'), 'kept'), 'utf8')).toBe('a word')
    await other.remove('v1', never)
    await other.remove('v1', never)
    expect(readdirSync(join(home, 'volumes'))).toEqual(['v2'])
    expect(await one.owners()).toEqual([process.getuid?.()])
    expect(await one.ownerOf([volume('v9'), volume('v2')], () => true)).toBe(process.getuid?.())
    expect(await one.ownerOf([volume('v2')], () => false)).toBeNull()
  })

  test('[CTL-6.volume-kept] a mark that a crash left is no use', async () => {
    const volumes = open('process')
    await volumes.take('i1', [volume('v1')], null)
    await volumes.remove('v1', never)
    expect(readdirSync(join(home, 'volumes'))).toEqual([])
  })
})

test('[CTL-6.place] a set takes the place of another at once, and leaves nothing of it', async () => {
  const folder = join(home, 'identity')
  await give(folder, { 'cert.pem': 'old', 'ca.pem': 'old' }, null)
  const before = readFileSync(join(folder, 'cert.pem'), 'utf8')
  await give(folder, { 'cert.pem': 'new', 'key.pem': 'new' }, null)
  expect(before).toBe('old')
  expect(readFileSync(join(folder, 'cert.pem'), 'utf8')).toBe('new')
  expect(statSync(join(folder, 'key.pem')).mode & 0o777).toBe(0o400)
  expect(readdirSync(folder).filter((it) => !it.startsWith('..'))).toEqual(['cert.pem', 'key.pem'])
  expect(readdirSync(folder).filter((it) => /^\.\.\d/.test(it))).toHaveLength(1)
  for (const name of ['../x', '.hidden', 'a/b', ''])
    await expect(give(folder, { [name]: '' }, null)).rejects.toThrow()
})

test('[CTL-6.volumes] folders the image lacks are made beside all that it has, and cannot be written', async () => {
  for (const folder of ['usr/bin', 'var/lib/apt', 'data']) mkdirSync(join(home, folder), { recursive: true })
  writeFileSync(join(home, 'var/note'), '')
  symlinkSync('usr/bin', join(home, 'bin'))
  expect(await rootView(home, '/mnt/root', ['/data', '/var/lib/apt'])).toEqual({
    first: ['--ro-bind', '/mnt/root', '/'],
    last: [],
  })
  const { first, last } = await rootView(home, '/mnt/root', ['/srv/deep', '/var/lib/kept'])
  const words = first.join(' ')
  for (const part of [
    '--symlink usr/bin /bin',
    '--ro-bind /mnt/root/usr /usr',
    '--perms 0755 --dir /var ',
    '--ro-bind /mnt/root/var/note /var/note',
    '--perms 0755 --dir /var/lib ',
    '--ro-bind /mnt/root/var/lib/apt /var/lib/apt',
  ])
    expect(words).toContain(part)
  expect(last).toEqual(['--remount-ro', '/'])
  await expect(rootView(home, '/mnt/root', ['/bin/x'])).rejects.toThrow(/no folder/)
  await expect(rootView(home, '/mnt/root', ['/var/note/x'])).rejects.toThrow(/no folder/)
})

test('[NET-5.link-places] each link has an address of its own, which is the same after a restart', () => {
  const links = [
    { name: 'db', port: 5432 },
    { name: 'other', port: 5432 },
  ]
  expect(linkPlaces(links)).toEqual({
    db: { host: '127.0.0.2', port: 5432 },
    other: { host: '127.0.0.3', port: 5432 },
  })
  expect(hostsFile('kalnet-x', links)).toBe('127.0.0.1 localhost kalnet-x\n127.0.0.2 db\n127.0.0.3 other\n')
})

test('[SES-1.home-size] a volume is as large as its files, links in it count for nothing, and one that is not there is not measured', async () => {
  const volumes = createVolumes({ data: home, runtime: home, config: home }, 'process')
  const { signal } = new AbortController()
  expect(await volumes.measure('one', signal)).toBeNull()
  await volumes.take('first', [volume('one')], null)
  const folder = volumes.folderOf('one')
  writeFileSync(join(folder, 'film'), Buffer.alloc(3 * 2 ** 20, 1))
  symlinkSync('/usr', join(folder, 'link'))
  const found = await volumes.measure('one', signal)
  expect(found).toMatchObject({ reservedBytes: null, place: folder })
  expect(found?.bytes).toBeGreaterThanOrEqual(3 * 2 ** 20)
  expect(found?.bytes).toBeLessThan(4 * 2 ** 20)
})
