/** What counts as the internet for the pods of a test cluster: a neighbour of its machine that answers "reached" on a public documentation address (RFC 5737). */
import { must, start } from '@kalnet/io/spawn'
import type { Cluster } from '../cluster.ts'

const [ADDRESS, PORT] = ['198.51.100.77', 8080]
const [NEAR, FAR] = ['100.99.0.1', '100.99.0.2']
const PROGRAM =
  "process.stdin.once('data', () => require('net').createServer(s => s.end('reached\\n')).listen(8080, '0.0.0.0', () => console.log('up')))"

export interface Outside {
  address: string
  port: number
  close(): Promise<void>
}

export async function openOutsideOf(cluster: Cluster): Promise<Outside> {
  const machine = ['--target', String(cluster.pid), '--net']
  const neighbour = start('nsenter', [...machine, 'unshare', '--net', process.execPath, '-e', PROGRAM], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const its = ['--target', String(neighbour.pid), '--net']
  // It has its own network only once `unshare` has begun with it: its program says nothing before it is told to.
  await waitForOwnNetwork(neighbour.pid ?? 0)
  const ip = (where: string[], ...words: string[]) => must('nsenter', [...where, 'ip', ...words])
  await ip(
    machine,
    'link',
    'add',
    'outside',
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    String(neighbour.pid),
  )
  await ip(machine, 'addr', 'add', `${NEAR}/30`, 'dev', 'outside')
  await ip(machine, 'link', 'set', 'outside', 'up')
  await ip(its, 'addr', 'add', `${FAR}/30`, 'dev', 'eth0')
  await ip(its, 'addr', 'add', `${ADDRESS}/32`, 'dev', 'lo')
  for (const it of ['lo', 'eth0']) await ip(its, 'link', 'set', it, 'up')
  await ip(its, 'route', 'add', 'default', 'via', NEAR)
  await ip(machine, 'route', 'add', `${ADDRESS}/32`, 'via', FAR)
  const up = new Promise((resolve) => neighbour.stdout?.once('data', resolve))
  neighbour.stdin?.write('go\n')
  await up
  return {
    address: ADDRESS,
    port: PORT,
    async close() {
      const ended = new Promise((resolve) => neighbour.once('exit', resolve))
      neighbour.kill('SIGKILL')
      await ended
    },
  }
}

async function waitForOwnNetwork(pid: number): Promise<void> {
  const { readlink } = await import('node:fs/promises')
  const { systemClock } = await import('@kalnet/io/clock')
  const until = Date.now() + 5_000
  const name = () => readlink(`/proc/${pid}/exe`).catch(() => '')
  while (!(await name()).endsWith('node')) {
    if (Date.now() > until) throw new Error('the neighbour did not begin')
    await systemClock.sleep(10)
  }
}
