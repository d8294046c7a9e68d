/** What comes after the first picture: loaded when it is wanted, said when that takes long, and asked for anew when it failed. */
import { type ComponentType, type LazyExoticComponent, lazy, type ReactNode, Suspense } from 'react'
import { ApiProblem } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button } from './button.tsx'
import { Catch, turns } from './catch.tsx'
import css from './parts.module.css'
import { ErrorBox } from './parts.tsx'

export type Load<P> = () => Promise<{ default: ComponentType<P> }>
const AGAIN_MS = 400

const notLoaded = (cause: unknown) =>
  new ApiProblem({
    code: 'page.not-loaded',
    message: m.problemNotLoaded,
    next: m.problemNotLoadedNext,
    status: 0,
    requestId: '',
    details: { cause: String(cause) },
  })

/** Asked once more: networks that come and go on a machine cut off what its browser is loading just then. */
export const patient =
  <P,>(load: Load<P>): Load<P> =>
  () =>
    load().catch(async () => {
      await new Promise((done) => setTimeout(done, AGAIN_MS))
      return load()
    })

/**
 * React keeps what could not be loaded as failed for ever; here it is begun anew in the next turn, which is when somebody
 * tried again or went elsewhere. Whoever stands above shows the failure.
 */
export function renewed<P extends object>(load: Load<P>): (props: P) => ReactNode {
  const ask = patient(load)
  let failedIn = -1
  const begin = (): LazyExoticComponent<ComponentType<P>> =>
    lazy(() =>
      ask().catch((cause) => {
        failedIn = turns.now
        throw notLoaded(cause)
      }),
    )
  let now = begin()
  return function Renewed(props) {
    if (failedIn !== -1 && failedIn !== turns.now) {
      failedIn = -1
      now = begin()
    }
    const Now = now as ComponentType<P>
    return <Now {...props} />
  }
}

/** Says so only where it takes long: what is there at once does not flash. */
export const Loading = () => (
  <p className={css.late} role="status">
    {m.loading}
  </p>
)

const closeOf = (props: object) => ('onClose' in props ? (props.onClose as () => void) : undefined)

interface MissedProps {
  problem: unknown
  retry: () => void
  close?: () => void
}
/** What can be closed would have stood above the page, and so does this. */
function Missed({ problem, retry, close }: MissedProps) {
  return (
    <div className={close && css.missed}>
      <ErrorBox problem={problem} retry={retry} />
      {close && (
        <Button look="plain" onPress={close}>
          {m.close}
        </Button>
      )}
    </div>
  )
}

/** A part of a page, such as a dialog: where it cannot be loaded, this is said in its place and the page lives on. `comes` stands there meanwhile. */
export function later<P extends object>(
  load: Load<P>,
  comes: ReactNode = <Loading />,
): (props: P) => ReactNode {
  const Part = renewed(load)
  return function Later(props) {
    return (
      <Catch show={(problem, retry) => <Missed problem={problem} retry={retry} close={closeOf(props)} />}>
        <Suspense fallback={comes}>
          <Part {...props} />
        </Suspense>
      </Catch>
    )
  }
}
