/** Ports of tests: each is given once, and can be listened on. */
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { start } from '../spawn.ts'
import { freePort } from './free-port.ts'

const PORT = 20_000

describe('a port for a test', () => {
  it('is given once', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, freePort))
    expect(new Set(ports).size).toBe(50)
  })
  it('can be listened on, below those that the kernel gives to whoever asks for any', async () => {
    const port = await freePort()
    expect(port).toBeGreaterThanOrEqual(PORT)
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    expect(port).toBeLessThan(32_768)
    await new Promise((resolve) => server.close(resolve))
  })
  it('is nobody else’s while who has it lives, and free again after that', async () => {
    const port = await freePort()
    const take = `require('net').createServer().once('error', (e) => { console.log(e.code); process.exit() }).listen('\\0kalnet-test-port-${port}', () => { console.log('had'); process.exit() })`
    const child = start(process.execPath, ['-e', take], { stdio: ['ignore', 'pipe', 'inherit'] })
    const said = await new Promise((resolve) =>
      child.stdout?.once('data', (piece) => resolve(String(piece).trim())),
    )
    expect(said).toBe('EADDRINUSE')
  })
})
