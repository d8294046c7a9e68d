/** Every page by its address, each loaded when it is gone to (and as soon as the address is known). */
import { type ComponentType, lazy } from 'react'

type Load = () => Promise<{ default: ComponentType }>
const page = (load: Load) => ({ load, Page: lazy(load) })

export const claimPage = page(() => import('./identity/claim.tsx'))
export const joinPage = page(() => import('./people/join.tsx'))
export const signInPage = page(() => import('./identity/sign-in.tsx'))
export const viewerPage = page(() => import('./viewer/viewer.tsx'))

/** Inside the shell. The first that matches is shown. */
export const shellPages = [
  { path: '/', ...page(() => import('./home/home.tsx')) },
  { path: '/launch', ...page(() => import('./catalog/launch.tsx')) },
  { path: '/sessions/:id', ...page(() => import('./sessions/page.tsx')) },
  { path: '/settings/people', ...page(() => import('./people/people.tsx')) },
  { path: '/settings/people/:id', ...page(() => import('./people/person.tsx')) },
  { path: '/settings/groups', ...page(() => import('./people/groups.tsx')) },
  { path: '/settings/controllers', ...page(() => import('./settings/controllers.tsx')) },
  { path: '/settings', ...page(() => import('./settings/me.tsx')) },
]

/** Begins to load what an address shows, without waiting for who is signed in. */
export function prepare(path: string): void {
  const load = path.startsWith('/s/')
    ? viewerPage.load
    : path === '/claim'
      ? claimPage.load
      : path === '/join'
        ? joinPage.load
        : (
            shellPages.find((it) => it.path === path) ??
            shellPages.find((it) => it.path.split('/')[1] === path.split('/')[1])
          )?.load
  // A chunk that cannot be loaded now is asked for again, and its failure shown, when the page is rendered.
  load?.().catch(() => undefined)
}
