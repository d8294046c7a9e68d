/** The terminal image as it is really built (kept between runs): its size, its contents, and how its session begins and ends. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { lstat, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must, run, start } from '@kalnet/io/spawn'
import { beforeAll, describe, expect, test } from 'vitest'
import { isDemanded, missing, recipeChainOf, testImages } from '../platforms/testing.ts'

const lacks = await missing(['mmdebstrap', 'flock', 'bwrap'])
const chain = recipeChainOf('terminal')
const never = new AbortController().signal

if (lacks && !isDemanded) test.skip(`real images: ${lacks} is missing`)
else
  describe('the terminal image', () => {
    const images = testImages()
    let root: string
    beforeAll(async () => {
      root = await images.ensureRoot(chain, never, () => undefined)
    }, 900_000)

    test('[TPL-4.terminal-size] is at most 250 MB, and its layers share what they have in common', async () => {
      const built = (await images.list()).find((it) => it.digest === images.digest(chain))
      expect(built?.sizeBytes).toBeLessThanOrEqual(250 * 10 ** 6)
      expect(built?.ownBytes).toBeLessThan(30 * 10 ** 6)
      const below = await images.ensureRoot(chain.slice(0, -1), never, () => undefined)
      const inode = async (at: string) => (await stat(join(at, 'usr/bin/Xvnc'))).ino
      expect(await inode(root)).toBe(await inode(below))
    })

    test('[TPL-4.resolved-versions] the versions of its packages are kept beside it', async () => {
      const packages = await readFile(join(root, '..', 'packages.txt'), 'utf8')
      expect(packages).toMatch(/^xterm \d+-\d+/m)
      expect(packages).toMatch(/^tigervnc-standalone-server 1\.12/m)
    })

    test('[TPL-4.nothing-privileged] nothing in it has rights of its own, and no device or secret of the host is left', async () => {
      const { stdout } = await must('find', [root, '-type', 'f', '-perm', '/6000'])
      expect(stdout).toBe('')
      const special = await must('find', [root, '-type', 'b', '-o', '-type', 'c', '-o', '-type', 's'])
      expect(special.stdout).toBe('')
      expect(await readdir(join(root, 'dev'))).toEqual([])
      const apt = (await readdir(join(root, 'etc/apt'))).concat(
        await readdir(join(root, 'etc/apt/apt.conf.d')),
      )
      expect(apt).not.toContain('sources.list')
      expect(apt).not.toContain('99mmdebstrap')
      expect((await lstat(join(root, 'etc/resolv.conf'))).isFile()).toBe(true)
      expect(await readFile(join(root, 'etc/resolv.conf'), 'utf8')).toBe('')
      expect(await readFile(join(root, 'etc/passwd'), 'utf8')).toMatch(/^user:x:1000:1000:/m)
      expect(await readdir(join(root, 'usr/share/doc/xterm'))).toEqual(['copyright'])
    })

    /** The root in a bare sandbox, with a folder for the socket. */
    function enter(folder: string, words: string[]) {
      const bind = [
        '--bind',
        join(folder, 'run'),
        '/run/kalnet',
        '--bind',
        join(folder, 'home'),
        '/home/user',
      ]
      const mounts = ['--ro-bind', root, '/', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', ...bind]
      const who = ['--unshare-all', '--die-with-parent', '--uid', '1000', '--gid', '1000', '--clearenv']
      const env = [
        '--setenv',
        'PATH',
        '/usr/bin:/bin',
        '--setenv',
        'HOME',
        '/home/user',
        '--chdir',
        '/home/user',
      ]
      return ['bwrap', ...who, ...mounts, ...env, ...words]
    }
    async function folderFor() {
      const folder = mkdtempSync(join(tmpdir(), 'kalnet-session-'))
      await mkdir(join(folder, 'run'))
      await mkdir(join(folder, 'home'))
      return folder
    }

    test('[TPL-4.font-cache] its font cache is current: no program has to make it anew', async () => {
      const folder = await folderFor()
      const [command = '', ...words] = enter(folder, ['fc-cache', '-v'])
      const { stdout } = await run(command, words)
      expect(stdout).toMatch(/skipping, existing cache is valid/)
      expect(stdout).not.toMatch(/caching, new cache/)
      rmSync(folder, { recursive: true, force: true })
    })

    test.each([
      [['sh', '-c', 'exit 7'], 7],
      [['/no/such/program'], 127],
      [[], 64],
    ])(
      '[SES-1.session-ends] the session of %j ends with code %i, and takes the screen with it',
      async (program, code) => {
        const folder = await folderFor()
        const [command = '', ...words] = enter(folder, ['/usr/lib/kalnet/session', ...program])
        const ended = await run(command, words, { timeoutMs: 20_000 })
        expect(ended.code).toBe(code)
        expect(await readdir(join(folder, 'run'))).toEqual([])
        rmSync(folder, { recursive: true, force: true })
      },
    )

    test('[SES-1.session-starts] the screen answers, the home has its first files, and what was there stays', async () => {
      const folder = await folderFor()
      const [command = '', ...words] = enter(folder, ['/usr/lib/kalnet/session', 'xterm', '-name', 'XTerm'])
      const child = start(command, words, { stdio: 'ignore' })
      const socket = join(folder, 'run', 'display.sock')
      const banner = () =>
        new Promise<string>((resolve) => {
          const near = connect(socket)
          near.once('data', (chunk) => resolve(chunk.toString('latin1')) ?? near.destroy())
          near.once('error', () => resolve(''))
        })
      try {
        await expect.poll(banner, { timeout: 15_000, interval: 20 }).toBe('RFB 003.008\n')
        expect((await stat(socket)).mode & 0o777).toBe(0o600)
        expect(readFileSync(join(folder, 'home', '.bashrc'), 'utf8')).toContain('PS1')
      } finally {
        child.kill('SIGKILL')
      }
      await new Promise((resolve) => child.once('close', resolve))
      rmSync(folder, { recursive: true, force: true })
    })
  })
