%% One process calls another, one call at a time.
%%
%% The idiom differs: the server is a gen_server.
-module(ask).
-behaviour(gen_server).
-export([start/0, init/1, handle_call/3, handle_cast/2]).

start() ->
    Calls = stage:start_clock(stage:scaled(500000)),
    {ok, Server} = gen_server:start_link(?MODULE, [], []),
    spawn_link(fun() -> ask(Server, 0, Calls) end).

ask(_Server, Calls, Calls) ->
    stage:finish();
ask(Server, Number, Calls) ->
    Answer = gen_server:call(Server, {square, Number}),
    Answer = Number * Number,
    ask(Server, Number + 1, Calls).

init([]) -> {ok, none}.

handle_call({square, Number}, _From, State) -> {reply, Number * Number, State}.

handle_cast(_, State) -> {noreply, State}.
