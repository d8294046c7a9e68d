/** Stopping and restarting cannot be undone: say exactly what is lost. */
import type { Session } from '@kalnet/contracts/session'
import * as m from '../messages/index.ts'
import { Confirm } from '../ui/dialog.tsx'
import { useRestart, useStop } from './actions.ts'

export type Ending = 'stop' | 'restart'
interface ConfirmEndingProps {
  session: Session
  ending: Ending
  onClose: () => void
  onDone?: () => void
}

export default function ConfirmEnding({ session, ending, onClose, onDone }: ConfirmEndingProps) {
  const stop = useStop()
  const restart = useRestart()
  const isStop = ending === 'stop'
  const work = isStop ? stop : restart
  return (
    <Confirm
      title={isStop ? m.stopTitle(session.name) : m.restartTitle(session.name)}
      text={isStop ? m.stopText : m.restartText}
      action={isStop ? m.stop : m.restart}
      pending={work.isPending}
      onClose={onClose}
      onConfirm={() =>
        work.mutate(session, {
          onSuccess: () => onDone?.(),
          onSettled: onClose,
        })
      }
    />
  )
}
