/** In the bench: nginx, haproxy and Traefik with one worker each, doing the same as our gateway: pass on, and ask before passing on. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@kalnet/io/testing/free-port'
import { traefikProgram } from '../../peers/60-traefik.ts'
import { startPeer } from '../stream/processes.ts'

export interface Other {
  pid: number
  port: number
  /** It can ask somebody before it passes on. */
  guards: boolean
  stop(): Promise<void>
}
const nginx = (folder: string, port: number, upstream: number) => `
daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log /dev/null crit;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  keepalive_requests 1000000;
  upstream service { server 127.0.0.1:${upstream}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
    location / { proxy_pass http://service; }
    location /guarded { auth_request /auth; auth_request_set $user $upstream_http_x_kalnet_user;
      proxy_set_header X-Kalnet-User $user; proxy_pass http://service; }
    location = /auth { internal; proxy_pass http://service/auth; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
  }
}`
const haproxy = (port: number, upstream: number) => `
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
  option forwardfor
frontend all
  bind 127.0.0.1:${port}
  default_backend service
backend service
  server one 127.0.0.1:${upstream}
`
const traefik = (upstream: number) =>
  JSON.stringify({
    http: {
      routers: {
        all: { rule: 'PathPrefix(`/`)', service: 'service' },
        guarded: { rule: 'PathPrefix(`/guarded`)', service: 'service', middlewares: ['ask'] },
      },
      middlewares: {
        ask: {
          forwardAuth: {
            address: `http://127.0.0.1:${upstream}/auth`,
            authResponseHeaders: ['X-Kalnet-User'],
          },
        },
      },
      services: { service: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${upstream}` }] } } },
    },
  })

/** Null: it is not on this machine. */
export async function startOther(name: string, upstream: number, parent: string): Promise<Other | null> {
  const port = await freePort()
  const folder = join(parent, name)
  await mkdir(folder)
  const file = join(folder, 'configuration')
  if (name === 'nginx') {
    if (!existsSync('/usr/sbin/nginx')) return null
    await writeFile(file, nginx(folder, port, upstream))
    return {
      port,
      guards: true,
      ...startPeer('/usr/sbin/nginx', ['-c', file, '-e', '/dev/null', '-p', folder]),
    }
  }
  if (name === 'haproxy') {
    if (!existsSync('/usr/sbin/haproxy')) return null
    await writeFile(file, haproxy(port, upstream))
    return { port, guards: false, ...startPeer('/usr/sbin/haproxy', ['-db', '-q', '-f', file]) }
  }
  if (!existsSync(traefikProgram())) return null
  await writeFile(`${file}.yml`, traefik(upstream))
  const args = [
    `--entryPoints.web.address=127.0.0.1:${port}`,
    `--providers.file.filename=${file}.yml`,
    '--log.level=ERROR',
    '--global.checkNewVersion=false',
    '--global.sendAnonymousUsage=false',
  ]
  return { port, guards: true, ...startPeer(traefikProgram(), args) }
}
