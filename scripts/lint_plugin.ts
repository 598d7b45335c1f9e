/**
 * The project's own lint rules; `deno lint` runs them. `tests/lint_plugin_test.ts` shows each of
 * them firing and not firing, `AGENTS.md` says why they are there.
 */

import { fileURLToPath } from "node:url";

/** Every command that a client can send; a name of two words stands as one. */
const COMMANDS = new Set([
  ..."CAPABILITY NOOP LOGOUT STARTTLS AUTHENTICATE LOGIN ENABLE ID SELECT EXAMINE CREATE".split(
    " ",
  ),
  ..."DELETE RENAME SUBSCRIBE UNSUBSCRIBE LIST LSUB XLIST STATUS APPEND IDLE NAMESPACE".split(" "),
  ..."CHECK CLOSE UNSELECT EXPUNGE SEARCH FETCH STORE COPY MOVE SORT THREAD COMPRESS".split(" "),
  ..."NOTIFY REPLACE UNAUTHENTICATE GETQUOTA SETQUOTA GETMETADATA SETMETADATA".split(" "),
  ..."FETCH STORE COPY MOVE EXPUNGE SEARCH SORT THREAD REPLACE".split(" ").map((c) => `UID ${c}`),
]);

const EQUALITY = new Set(["===", "!==", "==", "!="]);

/** What a pure module must not reach, as `object.property` ("*" is any property). */
const IMPURE: readonly (readonly [string, string, string])[] = [
  ["Date", "now", "the clock"],
  ["performance", "now", "the clock"],
  ["Math", "random", "randomness"],
  ["crypto", "getRandomValues", "randomness"],
  ["crypto", "randomUUID", "randomness"],
  ["Deno", "*", "Deno"],
  ["process", "*", "the process"],
];

const TIMERS = new Set(["setTimeout", "setInterval", "setImmediate"]);

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The path below the project's folder; a file that lies elsewhere has no rules. */
function projectPath(filename: string): string {
  return filename.startsWith(ROOT) ? filename.slice(ROOT.length) : "";
}

function isPure(path: string): boolean {
  return /^src\/(wire|message|auth\/sasl)\//.test(path) ||
    path === "src/net/proxy_protocol.ts";
}

/** The text of a string literal, or of a template without `${}`. */
function stringValue(node: Deno.lint.Node | null | undefined): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type === "TemplateLiteral" && node.expressions.length === 0) {
    return node.quasis[0].cooked;
  }
  return undefined;
}

/** The name of `x` in `o.x` and `o["x"]`. */
function propertyName(node: Deno.lint.MemberExpression): string | undefined {
  if (!node.computed && node.property.type === "Identifier") return node.property.name;
  return stringValue(node.property);
}

/** Whether an expression is, to all appearances, a command's name: `row.name`, `command.name`. */
function isCommandName(node: Deno.lint.Node): boolean {
  if (node.type === "Identifier") return /^(command|row)Name$/.test(node.name);
  if (node.type === "CallExpression" && node.callee.type === "MemberExpression") {
    const method = propertyName(node.callee);
    return (method === "toUpperCase" || method === "toLowerCase") &&
      isCommandName(node.callee.object);
  }
  if (node.type !== "MemberExpression" || propertyName(node) !== "name") return false;
  const owner = node.object;
  const name = owner.type === "Identifier"
    ? owner.name
    : owner.type === "MemberExpression"
    ? propertyName(owner)
    : undefined;
  return name !== undefined && /^(row|command|cmd)$/.test(name);
}

/**
 * Facts about a command belong in its row. Shared code (all of `src/net` and `src/imap` but the
 * handlers) compares nothing with a command's name; a handler may have an option that is spelled
 * like a command (LIST's STATUS), but does not compare the name of its row.
 */
const noCommandNameBranching: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (!/^src\/(imap|net)\//.test(path)) return {};
    const shared = !path.startsWith("src/imap/commands/");

    function report(node: Deno.lint.Node, name: string) {
      context.report({
        node,
        message: `Expected no branching on a command's name: got "${name}"`,
        hint: "Add a field to the command's row and read that",
      });
    }
    /** Reports a comparison of `subject` with the text of `node`. */
    function compare(subject: Deno.lint.Node, node: Deno.lint.Node) {
      const value = stringValue(node);
      if (value === undefined) return;
      if (isCommandName(subject) || shared && COMMANDS.has(value)) report(node, value);
    }
    return {
      BinaryExpression(node) {
        if (!EQUALITY.has(node.operator)) return;
        compare(node.left, node.right);
        compare(node.right, node.left);
      },
      SwitchStatement(node) {
        for (const { test } of node.cases) if (test) compare(node.discriminant, test);
      },
      CallExpression(node) {
        if (node.callee.type !== "MemberExpression") return;
        const method = propertyName(node.callee);
        const subject = node.callee.object;
        if (method === "startsWith" && node.arguments[0]) {
          const value = stringValue(node.arguments[0]);
          if (value && (isCommandName(subject) || shared && /^UID( |$)/.test(value))) {
            report(node.arguments[0], value);
          }
        }
        if (method === "includes" && shared && subject.type === "ArrayExpression") {
          const name = commandIn(subject);
          if (name) report(subject, name);
        }
      },
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || node.callee.name !== "Set" || !shared) return;
        const [list] = node.arguments;
        const name = list?.type === "ArrayExpression" ? commandIn(list) : undefined;
        if (name) report(node, name);
      },
    };
  },
};

/** The first element that is a command's name, if all elements are. */
function commandIn(list: Deno.lint.ArrayExpression): string | undefined {
  const values = list.elements.map((element) => stringValue(element));
  const all = values.length > 0 && values.every((v) => v !== undefined && COMMANDS.has(v));
  return all ? values[0] : undefined;
}

/** Output goes through the log, which keeps secrets out; only the command line prints. */
const noConsole: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (!path.startsWith("src/") || path.startsWith("src/cli/")) return {};
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.object.name !== "console") return;
        context.report({
          node,
          message: "Expected the log: got console",
          hint: "Take a Log as an argument",
        });
      },
    };
  },
};

/** Parsers and message code take bytes and give values, so that all of it can be fuzzed. */
const pureFolders: Deno.lint.Rule = {
  create(context) {
    if (!isPure(projectPath(context.filename))) return {};

    function report(node: Deno.lint.Node, got: string) {
      context.report({
        node,
        message: `Expected pure code: got ${got}`,
        hint: "Pass what it needs as an argument",
      });
    }
    function checkImport(node: Deno.lint.Node, source: Deno.lint.Node | null | undefined) {
      const specifier = stringValue(source);
      if (specifier?.startsWith("node:")) report(node, `an import of ${specifier}`);
    }
    return {
      ImportDeclaration: (node) => checkImport(node, node.source),
      ExportNamedDeclaration: (node) => checkImport(node, node.source),
      ExportAllDeclaration: (node) => checkImport(node, node.source),
      ImportExpression: (node) => checkImport(node, node.source),
      MemberExpression(node) {
        const owner = node.object;
        if (owner.type !== "Identifier") return;
        const property = propertyName(node);
        if (owner.name === "globalThis" && property === "Deno") return report(node, "Deno");
        for (const [object, member, what] of IMPURE) {
          if (owner.name === object && (member === "*" || member === property)) {
            return report(node, what);
          }
        }
      },
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || node.callee.name !== "Date") return;
        if (node.arguments.length === 0) report(node, "the clock");
      },
      CallExpression(node) {
        if (node.callee.type !== "Identifier") return;
        if (node.callee.name === "Date") report(node, "the clock");
        if (TIMERS.has(node.callee.name)) report(node, "a timer");
      },
    };
  },
};

/** A name that is the same everywhere can be searched for. */
const noDefaultExport: Deno.lint.Rule = {
  create(context) {
    // Deno itself asks for a plugin as a default export.
    if (projectPath(context.filename) === "scripts/lint_plugin.ts") return {};
    const message = "Expected a named export: got a default export";
    return {
      ExportDefaultDeclaration: (node) => context.report({ node, message }),
      ExportSpecifier(node) {
        if (node.exported.type === "Identifier" && node.exported.name === "default") {
          context.report({ node, message });
        }
      },
    };
  },
};

const COLLECTIONS = new Set(["Map", "Set", "WeakMap", "WeakSet", "Array"]);

/** Whether a name is declared as a collection that nobody can fill: `const NONE: ReadonlySet<…>`. */
function isReadonly(name: Deno.lint.VariableDeclarator["id"]): boolean {
  if (name.type !== "Identifier") return false;
  const type = name.typeAnnotation?.typeAnnotation;
  return type?.type === "TSTypeReference" && type.typeName.type === "Identifier" &&
    type.typeName.name.startsWith("Readonly");
}

/** Two servers in one process (as in tests) must not share anything. */
const noModuleState: Deno.lint.Rule = {
  create(context) {
    if (!projectPath(context.filename).startsWith("src/")) return {};

    function check(statement: Deno.lint.Node | null) {
      if (statement?.type === "ExportNamedDeclaration") return check(statement.declaration);
      if (statement?.type !== "VariableDeclaration" || statement.declare) return;
      for (const declarator of statement.declarations) {
        const value = declarator.init;
        const empty = value?.type === "NewExpression" && value.arguments.length === 0 &&
          value.callee.type === "Identifier" && COLLECTIONS.has(value.callee.name) &&
          !isReadonly(declarator.id);
        if (statement.kind === "const" && !empty) continue;
        context.report({
          node: declarator,
          message: `Expected no state in a module: got ${
            empty ? "an empty collection" : statement.kind
          }`,
          hint: "Keep it in a class or a closure that the caller makes",
        });
      }
    }
    return {
      Program(node) {
        for (const statement of node.body) check(statement);
      },
    };
  },
};

/** Of text that a stranger wrote String.prototype.normalize() may take minutes. */
const boundNormalForm: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (!path.startsWith("src/") || path === "src/normal_form.ts") return {};
    return {
      CallExpression({ callee }) {
        const member = callee.type === "ChainExpression" ? callee.expression : callee;
        if (member.type !== "MemberExpression" || propertyName(member) !== "normalize") return;
        context.report({
          node: callee,
          message: "Expected normalForm(): got normalize()",
          hint: "Take it from src/normal_form.ts",
        });
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "imapd",
  rules: {
    "no-command-name-branching": noCommandNameBranching,
    "no-console": noConsole,
    "pure-folders": pureFolders,
    "no-default-export": noDefaultExport,
    "no-module-state": noModuleState,
    "bound-normal-form": boundNormalForm,
  },
};

export default plugin;
