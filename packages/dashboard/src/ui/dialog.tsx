/** What asks for attention over the page: a box, a side sheet, or the palette at the top. Load lazily. */
import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { Dialog as AriaDialog } from 'react-aria-components/Dialog'
import { Heading } from 'react-aria-components/Heading'
import { Modal, ModalOverlay } from 'react-aria-components/Modal'
import * as m from '../messages/index.ts'
import { Button, type ButtonLook, IconButton } from './button.tsx'
import { classes } from './classes.ts'
import css from './dialog.module.css'

interface DialogProps {
  title: string
  onClose: () => void
  place?: 'middle' | 'side' | 'top'
  /** Only its own buttons close it: what it shows is shown once. */
  firm?: boolean
  children: ReactNode
}

export function Dialog({ title, onClose, place = 'middle', firm = false, children }: DialogProps) {
  return (
    <ModalOverlay
      isOpen
      isDismissable={!firm}
      isKeyboardDismissDisabled={firm}
      onOpenChange={(open) => open || onClose()}
      className={classes(css.veil, place !== 'middle' && css[place])}
    >
      <Modal className={css.box}>
        <AriaDialog className={css.dialog} aria-label={title}>
          {place !== 'top' && (
            <div className={css.head}>
              <Heading slot="title" level={2}>
                {title}
              </Heading>
              {!firm && (
                <IconButton label={m.close} onPress={onClose}>
                  <X aria-hidden />
                </IconButton>
              )}
            </div>
          )}
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}

export const DialogText = ({ children }: { children: ReactNode }) => <p className={css.text}>{children}</p>
export const DialogActions = ({ children }: { children: ReactNode }) => (
  <div className={css.actions}>{children}</div>
)

interface ConfirmProps {
  title: string
  /** Exactly what is lost. */
  text: string
  action: string
  look?: ButtonLook
  pending: boolean
  onConfirm: () => void
  onClose: () => void
  children?: ReactNode
}
/** Only for what cannot be undone. */
export function Confirm({
  title,
  text,
  action,
  look = 'danger',
  pending,
  onConfirm,
  onClose,
  children,
}: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <DialogText>{text}</DialogText>
      {children}
      <DialogActions>
        <Button onPress={onClose}>{m.cancel}</Button>
        <Button look={look} isPending={pending} onPress={onConfirm} autoFocus>
          {action}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
