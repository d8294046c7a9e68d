/** `up --lan`: another device of the home network opens the desktop over HTTPS, trusting the local authority and nothing else. */
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must, start } from '@kalnet/io/spawn'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM, openBrowser } from '../support/browser.ts'
import { OWNER } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { inOrder } from '../support/in-order.ts'
import { makeNamespace, type Namespace } from '../support/namespace.ts'
import { lacking } from '../support/parts.ts'
import { CHECKOUT, freePort, type Product, startProduct, tokenOf } from '../support/product.ts'

/** Asks an address with only the given authority trusted; prints the status, or the reason why not. */
const ASK = `
const [url, ca] = process.argv.slice(1)
const get = (url.startsWith('https') ? require('https') : require('http')).get
get(url, { ca: ca ? require('fs').readFileSync(ca) : undefined, timeout: 5000 }, (answer) => { console.log(answer.statusCode); answer.resume() })
  .on('error', (error) => console.log(error.code)).on('timeout', function () { this.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })) })
`
const why = await lacking(
  ['root', 'chromium', 'bubblewrap', 'mmdebstrap', 'iproute', 'certutil', 'openssl', 'curl'],
  'the first evening over the home network',
)

describe.skipIf(why)('over the home network', () => {
  let network: Namespace
  let product: Product
  let browser: Awaited<ReturnType<typeof openBrowser>>
  let page: Page
  let folder = ''
  let names = ''
  let url = ''
  let [http, https] = [0, 0]
  const ask = async (address: string, ca = '') =>
    (await network.run(process.execPath, ['-e', ASK, address, ca])).stdout.trim()

  inOrder()
  beforeAll(async () => {
    network = await makeNamespace()
    ;[http, https] = [await freePort(), await freePort()]
    const port = await freePort()
    product = await startProduct({
      flags: ['--lan'],
      port,
      env: {
        // This machine has several networks: people come from this one.
        KALNET_PUBLIC_URL: `https://${network.here}:${port}`,
        KALNET_GATEWAY_HTTP_PORT: String(http),
        KALNET_GATEWAY_HTTPS_PORT: String(https),
        KALNET_DNS_ENABLED: 'true',
        KALNET_DNS_HOST: network.here,
      },
    })
    // The device asks us for names, as the home's router would tell it to.
    names = join('/etc/netns', network.name)
    await mkdir(names, { recursive: true })
    await writeFile(join(names, 'resolv.conf'), `nameserver ${network.here}\n`)
    url = `https://${network.here}:${product.port}`
    folder = await mkdtemp(join(tmpdir(), 'kn-lan-'))
    // The other device's browser: the same program, started over there.
    const program = join(folder, 'chromium')
    await writeFile(program, `#!/bin/sh\nexec ip netns exec ${network.name} ${CHROMIUM} "$@"\n`)
    await chmod(program, 0o755)
    browser = await openBrowser({ program, ignoreCertificates: true })
    page = browser.page
  })
  afterAll(async () => {
    await browser?.close()
    await product?.down()
    await network?.remove()
    for (const left of [folder, names]) if (left) await rm(left, { recursive: true, force: true })
  })

  it('[STR-1.lan] HTTPS by the local authority; without it the device does not trust us', async () => {
    expect(await ask(`${url}/api/status`, join(product.home, 'config/ca/authority.crt'))).toBe('200')
    expect(await ask(`${url}/api/status`)).toMatch(/CERT|SELF_SIGNED|UNABLE_TO/)
  })

  it('[STR-1.lan] plain http answers nothing over the network', async () => {
    expect(await ask(`http://${network.here}:${product.port}/api/status`)).not.toBe('200')
  })

  it('[STR-1.lan] claim, launch and type from the other device', { timeout: 600_000 }, async () => {
    await page.goto(`${url}/claim#${tokenOf(product.claim)}`)
    await page.getByLabel('Your name').fill(OWNER.name)
    await page.getByLabel('Name of your household or team').fill('The Lovelaces')
    await page.getByLabel('E-mail').fill(OWNER.email)
    await page
      .getByLabel(/password/i)
      .first()
      .fill(OWNER.password)
    await page.getByRole('button', { name: 'Create owner account' }).click()
    await page.getByText('Your screen is a click away').waitFor()
    const [cookie] = await browser.context.cookies()
    expect(cookie).toMatchObject({ name: '__Host-kalnet', secure: true, httpOnly: true, sameSite: 'Strict' })
    await page.goto(`${url}/launch`)
    await page
      .getByRole('button', { name: /Terminal/ })
      .first()
      .click()
    const canvas = page.locator('[data-live="true"] canvas').first()
    await canvas.waitFor({ timeout: 540_000 })
    const pixels = () => canvas.evaluate((it: HTMLCanvasElement) => it.toDataURL())
    await canvas.click()
    const before = await pixels()
    await page.keyboard.type('ls -l /')
    await eventually('the picture changes', async () => (await pixels()) !== before)
  })

  it('[NET-4.devices] a service by its name: curl, openssl and a browser of the other device believe the local authority, and only it', {
    timeout: 600_000,
  }, async () => {
    const site = `https://site.kalnet.home.arpa:${https}`
    const authority = join(product.home, 'config/ca/authority.crt')
    const installed = await product.kalnet('service', 'install', 'site', '--json')
    expect(installed.code, installed.stderr).toBe(0)

    // By name, asked of our own DNS.
    const curl = (...args: string[]) =>
      network.run('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}', ...args])
    expect((await curl('--cacert', authority, site)).stdout).toBe('401')
    expect((await curl(site)).stderr).toMatch(/certificate/i)
    expect(
      (await curl('-H', 'accept: text/html', '--cacert', authority, `http://site.kalnet.home.arpa:${http}/`))
        .stdout,
    ).toBe('308')
    const shown = await network.run('openssl', [
      ...['s_client', '-connect', `${network.here}:${https}`, '-servername', 'site.kalnet.home.arpa'],
      ...[
        '-CAfile',
        authority,
        '-verify_return_error',
        '-verify_hostname',
        'site.kalnet.home.arpa',
        '-brief',
      ],
    ])
    expect(shown.stdout + shown.stderr).toContain('Verification: OK')

    // A browser whose person has followed the page of trust: the authority is in its own store.
    const home = join(folder, 'home')
    const store = join(home, '.pki/nssdb')
    await mkdir(store, { recursive: true })
    await must('certutil', ['-d', `sql:${store}`, '-N', '--empty-password'])
    await must('certutil', ['-d', `sql:${store}`, '-A', '-t', 'C,,', '-n', 'Kalnet', '-i', authority])
    const program = join(folder, 'trusting')
    await writeFile(
      program,
      `#!/bin/sh\nexec env HOME=${home} ip netns exec ${network.name} ${CHROMIUM} "$@"\n`,
    )
    await chmod(program, 0o755)
    const trusting = await openBrowser({ program })
    try {
      const { page: visitor } = trusting
      await visitor.goto(site)
      // Sent to sign in, once, and back to where one wanted to go.
      await visitor.getByLabel('E-mail').fill(OWNER.email)
      await visitor.getByLabel('Password', { exact: true }).fill(OWNER.password)
      await visitor.getByRole('button', { name: 'Sign in', exact: true }).click()
      await visitor.waitForURL(`${site}/**`)
      await visitor.getByRole('heading', { name: 'A page of our own' }).waitFor()

      // Who may not pass is told so kindly, and is not asked for a password again.
      const { id } = JSON.parse((await product.kalnet('service', 'show', 'site', '--json')).stdout) as {
        id: string
      }
      const dashboard = await trusting.context.newPage()
      await dashboard.goto(url)
      const ask = (method: string, path: string, body?: object) =>
        dashboard.evaluate(
          async ([how, where, what]) => {
            const headers = { 'content-type': 'application/json' }
            const answer = await fetch(String(where), {
              method: String(how),
              headers,
              ...(what ? { body: String(what) } : {}),
            })
            return { status: answer.status, body: (await answer.json()) as { items?: { id: string }[] } }
          },
          [method, path, body && JSON.stringify(body)],
        )
      const { body } = await ask('GET', `/api/routes?service=${id}`)
      const allow = (roles: string[]) =>
        ask('PATCH', `/api/routes/${body.items?.[0]?.id}`, { allowed: { roles, groups: [] } })
      expect((await allow(['child'])).status).toBe(200)
      await visitor.goto(site)
      await visitor.getByText('is not open to you').waitFor()
      expect((await allow([])).status).toBe(200)
      await visitor.goto(site)
      await visitor.getByRole('heading', { name: 'A page of our own' }).waitFor()

      // One sign-out, and it is closed here too.
      expect((await ask('POST', '/api/sign-out', {})).status).toBe(200)
      await eventually('the service asks again who one is', async () => {
        await visitor.goto(site)
        return visitor
          .getByLabel('E-mail')
          .waitFor({ timeout: 3_000 })
          .then(
            () => true,
            // Still let in, or still loading: looked at again.
            () => false,
          )
      })
    } finally {
      await trusting.close()
    }
  })

  it('[NET-8.lan] kalnet doctor network says that it is reached, with whose certificate', async () => {
    const { code, stdout } = await product.kalnet('doctor', 'network', '--json')
    expect(code, stdout).toBe(0)
    const { routes } = JSON.parse(stdout) as {
      routes: { state: string; certificate: { daysLeft: number } | null }[]
    }
    expect(routes.map(({ state }) => state)).toEqual(['pass'])
    expect(routes[0]?.certificate?.daysLeft).toBeGreaterThan(14)
  })

  it('[CTL-8.remote] a controller on the other device joins by token and fingerprint, and its session is seen from here', {
    timeout: 300_000,
  }, async () => {
    const enrolled = JSON.parse((await product.kalnet('controllers', 'enrol', 'attic', '--json')).stdout) as {
      token: string
      command: string
    }
    const fingerprint = /--ca-fingerprint (\S+)/.exec(enrolled.command)?.[1] ?? ''
    expect(fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    const home = await mkdtemp(join(tmpdir(), 'kn-attic-'))
    await mkdir(join(home, 'data'), { recursive: true })
    await symlink(await realpath(join(product.home, 'data/images')), join(home, 'data/images'))
    const attic = start(
      'ip',
      [
        'netns',
        'exec',
        network.name,
        join(CHECKOUT, 'kalnet'),
        'controller',
        '--join',
        url,
        '--token',
        enrolled.token,
        '--ca-fingerprint',
        fingerprint,
        '--platforms',
        'process',
      ],
      { env: { ...process.env, KALNET_HOME: home }, stdio: ['ignore', 'ignore', 'inherit'], cwd: '/' },
    )
    try {
      const controllers = async () =>
        (
          JSON.parse((await product.kalnet('controllers', 'list', '--json')).stdout) as {
            items: { name: string; state: string }[]
          }
        ).items
      await eventually(
        'the attic is online',
        async () => (await controllers()).some((it) => it.name === 'attic' && it.state === 'online'),
        60_000,
      )
      await product.kalnet('controllers', 'cordon', 'this machine')
      const ran = await product.kalnet('sessions', 'run', 'terminal', '--name', 'From the attic', '--json')
      expect(ran.stderr + ran.stdout).toContain('"controllerName": "attic"')
      await page.goto(url)
      await page.getByRole('article', { name: 'From the attic' }).getByRole('link').click()
      await page.locator('[data-live="true"] canvas').first().waitFor()
      const state = async () =>
        (
          JSON.parse((await product.kalnet('sessions', 'list', '--json')).stdout) as {
            items: { name: string; state: string }[]
          }
        ).items.find((it) => it.name === 'From the attic')?.state
      // The list shows what lives.
      expect(await state()).toBe('running')
      await product.kalnet('controllers', 'drain', 'attic', '--yes')
      await eventually('its session has ended', async () => (await state()) === undefined)
    } finally {
      attic.kill('SIGTERM')
      await new Promise((resolve) => attic.once('close', resolve))
      await rm(join(home, 'data/images'), { force: true })
      await rm(home, { recursive: true, force: true })
    }
  })
})
