/** The editor of the page's files: CodeMirror with YAML. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { announce, h } from "./dom.js";
import { FileError, type FileSystem } from "./vfs.js";

const colors = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--code-key)" },
  { tag: tags.definition(tags.propertyName), color: "var(--code-key)" },
  { tag: [tags.string, tags.content], color: "var(--code-text)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
]);

export class Editor {
  #view: EditorView;
  #select: HTMLSelectElement;
  #status = h("span", { class: "editor-status" });
  #path = "";
  #saving = false;

  constructor(
    holder: HTMLElement,
    private readonly files: FileSystem,
    apply: (path: string) => void,
  ) {
    this.#select = h("select", { "aria-label": "File", change: () => this.open(this.#select.value) }) as HTMLSelectElement;
    const toolbar = h(
      "div",
      { class: "toolbar" },
      this.#select,
      h("button", { type: "button", click: () => this.#create() }, "New"),
      h("button", { type: "button", click: () => this.save() }, "Save"),
      h("button", { type: "button", class: "primary", click: () => this.save() && apply(this.#path) }, "Apply"),
      this.#status,
    );
    const host = h("div", { class: "code" });
    holder.replaceChildren(toolbar, host);
    this.#view = new EditorView({ parent: host, state: this.#state("") });
    files.subscribe((change) => {
      this.#listFiles();
      if (change.path === this.#path && !this.#saving && change.kind === "file") this.open(this.#path);
    });
    this.#listFiles();
    const first = this.#names()[0];
    if (first) this.open(first);
  }

  open(path: string): void {
    try {
      const text = this.files.readText(path);
      this.#path = this.files.resolve(path);
      this.#select.value = this.#path;
      if (text !== this.#view.state.doc.toString()) this.#view.setState(this.#state(text));
      this.#status.textContent = "";
    } catch (error) {
      this.#status.textContent = error instanceof FileError ? `${path}: ${error.message}` : String(error);
    }
  }

  /** The file that is open. */
  get path(): string {
    return this.#path;
  }

  focus(): void {
    this.#view.focus();
  }

  save(): boolean {
    try {
      this.#saving = true;
      this.#path ||= this.#unusedName(); // what is typed before any file is open becomes one
      this.files.write(this.#path, this.#view.state.doc.toString());
      this.#status.textContent = "Saved";
      announce("Saved");
      return true;
    } catch (error) {
      this.#status.textContent = error instanceof FileError ? `${this.#path}: ${error.message}` : String(error);
      return false;
    } finally {
      this.#saving = false;
    }
  }

  #state(text: string): EditorState {
    return EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        syntaxHighlighting(colors),
        yaml(),
        EditorView.contentAttributes.of({ "aria-label": "File content" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) this.#status.textContent = "Not saved";
        }),
        keymap.of([{ key: "Mod-s", run: () => this.save() }, indentWithTab, ...defaultKeymap, ...historyKeymap, ...searchKeymap]),
      ],
    });
  }

  #names(): string[] {
    return this.files
      .list(this.files.home)
      .filter((name) => !name.startsWith(".") && !this.files.isDirectory(`${this.files.home}/${name}`))
      .map((name) => `${this.files.home}/${name}`);
  }

  #listFiles(): void {
    const names = this.#names();
    this.#select.replaceChildren(...names.map((path) => h("option", { value: path }, path.slice(this.files.home.length + 1))));
    this.#select.value = this.#path;
  }

  #create(): void {
    const path = this.#unusedName();
    this.files.write(path, "");
    this.open(path);
    this.focus();
  }

  #unusedName(): string {
    let number = 1;
    while (this.files.exists(`${this.files.home}/manifest-${number}.yaml`)) number++;
    return `${this.files.home}/manifest-${number}.yaml`;
  }
}
